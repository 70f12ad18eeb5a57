"""What binds the sealed words of this room to their rows."""

from uuid import UUID


def invited_name_place(invitation_id: UUID) -> str:
    """Return what binds an invited person's sealed name to its row."""
    return f"organisations.invitation:display_name:{invitation_id}"


def note_place(invitation_id: UUID) -> str:
    """Return what binds an invitation's sealed note to its row."""
    return f"organisations.invitation:note:{invitation_id}"
