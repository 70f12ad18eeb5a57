"""A person's rights over their data: see, take away, be forgotten."""
