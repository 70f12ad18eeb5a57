"""Header fields of answers: those that make it safe to show, and how much of a limit is left."""

from citizen_cloud.web.limits import Standing

SAFETY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-site",
}


def limit_fields(standing: Standing) -> list[tuple[str, str]]:
    """Return RateLimit fields (draft-ietf-httpapi-ratelimit-headers) and their older names."""
    return [
        ("RateLimit-Policy", f'"door";q={standing.policy}'),
        ("RateLimit", f'"door";r={standing.remaining};t={standing.reset_s}'),
        ("X-RateLimit-Limit", str(standing.limit)),
        ("X-RateLimit-Remaining", str(standing.remaining)),
        ("X-RateLimit-Reset", str(standing.reset_s)),
    ]
