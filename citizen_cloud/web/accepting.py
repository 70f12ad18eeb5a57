"""Which form of a code a client takes: its text as JSON, or a picture."""

from flask import request

from citizen_cloud.web.refusals import NotAcceptable

JSON = "application/json"
SVG = "image/svg+xml"
PNG = "image/png"
JSON_LIKE = (JSON, "application/problem+json", "application/*", "*/*")


def negotiated() -> str:
    """Choose the media type; ``*/*`` and problem+json count as JSON. Raises ``NotAcceptable``."""
    accepted = request.accept_mimetypes
    if not accepted:
        return JSON
    for value, quality in accepted:
        if quality <= 0:
            continue
        if value in (SVG, PNG):
            return str(value)
        if value in JSON_LIKE:
            return JSON
        if value == "image/*":
            return SVG
    raise NotAcceptable
