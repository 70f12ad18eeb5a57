"""Checks of codes: by an inspector now, or by a gate that was alone then."""
