"""The verbs of the counter: open, look, decide, end."""
