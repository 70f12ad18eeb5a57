"""The verbs of the masks module, by noun; the only writers of its tables."""
