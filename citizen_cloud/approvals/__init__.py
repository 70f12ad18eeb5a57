"""What no single person may decide: proposals, and the approvers of different units."""
