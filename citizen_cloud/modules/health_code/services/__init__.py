"""The verbs of the health code, one file a noun; the only writers of its tables."""
