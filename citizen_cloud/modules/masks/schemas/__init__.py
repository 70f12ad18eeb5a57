"""What callers of the masks module send and get, by audience."""
