"""Verbs of the room: begin, sign in, link, remove."""
