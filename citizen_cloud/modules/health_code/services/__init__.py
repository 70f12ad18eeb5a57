"""The verbs of the health code, a folder a subject; the only writers of its tables."""
