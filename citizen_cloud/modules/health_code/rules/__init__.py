"""The rules of the health code. Pure."""
