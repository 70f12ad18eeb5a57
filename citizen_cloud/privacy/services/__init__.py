"""Verbs of the room: bundles to take away, closing an account, erasing it, proving it."""
