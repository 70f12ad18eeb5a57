"""What the masks module reads: rows, never objects that write themselves back."""
