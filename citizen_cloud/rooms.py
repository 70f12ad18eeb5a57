"""The core rooms by what they bring, from the bottom of the stairs to its top."""

# Rooms with tables of their own, in the order in which they are made.
TABLES = (
    "audit",
    "jobs",
    "registry",
    "web",
    "accounts",
    "organisations",
    "approvals",
    "messages",
    "credentials",
    "families",
    "federation",
    "counter",
    "oidc",
    "booking",
    "privacy",
)
# Rooms with doors.
ROUTES = (
    "accounts",
    "organisations",
    "approvals",
    "messages",
    "credentials",
    "families",
    "federation",
    "counter",
    "oidc",
    "portal",
    "privacy",
)
# Rooms that contribute jobs, handlers, permissions, decisions or personal data.
CONTRIBUTIONS = (
    "jobs",
    "audit",
    "web",
    "accounts",
    "organisations",
    "approvals",
    "messages",
    "credentials",
    "families",
    "federation",
    "counter",
    "oidc",
    "booking",
    "portal",
    "privacy",
)
