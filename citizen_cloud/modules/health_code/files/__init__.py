"""Bytes that authorities send, to rows of text."""
