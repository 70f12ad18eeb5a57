"""The verbs of the families room."""

from citizen_cloud.families.services.audience import accounts_of_all, accounts_to_tell
from citizen_cloud.families.services.representing import note_refused, purpose_of, represent

__all__ = ["accounts_of_all", "accounts_to_tell", "note_refused", "purpose_of", "represent"]
