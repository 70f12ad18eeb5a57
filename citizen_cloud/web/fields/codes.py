"""The codes every field shares."""

COMMON = {"required": "required", "null": "null", "validator_failed": "invalid"}
