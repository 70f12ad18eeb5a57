"""What authority systems report: registered sources, signed batches, and those that wait."""
