"""Tables of the approvals room."""
