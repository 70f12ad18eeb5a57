"""What a module says of its own end: what of it lies with others, and goes with it."""

from dataclasses import dataclass

from citizen_cloud.text import Text


@dataclass(frozen=True, kw_only=True)
class Sunset:
    """What lies outside a module's own tables and is forgotten when it is purged.

    But for ``credentials`` and ``consents``, each word is the beginning of names:
    ``health_code.`` stands for all that begins so. The module's tables need no mention, nor do its
    bookings, the proposals of its kinds of decision and the stored answers of its doors.
    """

    # Types of codes, with the keys that show them: all this module has, and no other has one of
    # them. While it is in sunset none counts anywhere
    credentials: frozenset[str] = frozenset()
    # Whether its codes, and nobody else's, are shown by keys of registered phones
    device_keys: bool = False
    # Kinds of inbox messages and of texts
    messages: tuple[str, ...] = ()
    # Events of the outbox
    events: tuple[str, ...] = ()
    # Acts of the audit trail: who did what when stays, what it was about is erased
    acts: tuple[str, ...] = ()
    # Purposes of looks at a person's data
    purposes: tuple[str, ...] = ()
    # Purposes citizens agreed to
    consents: frozenset[str] = frozenset()
    # What stays all the same, and why; the certificate repeats it
    kept: tuple[Text, ...] = ()
