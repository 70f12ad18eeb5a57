"""Tables of the health code, one file a noun."""
