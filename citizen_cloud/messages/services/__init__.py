"""Verbs of the room: the inbox, and texts on their way out."""

from citizen_cloud.messages.services.inbox import Inbox, Note, inbox, mark_read, notify, notify_all

__all__ = ["Inbox", "Note", "inbox", "mark_read", "notify", "notify_all"]
