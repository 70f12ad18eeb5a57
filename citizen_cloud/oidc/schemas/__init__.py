"""What clients of this room's API send and get."""
