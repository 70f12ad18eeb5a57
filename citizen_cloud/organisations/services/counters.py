"""At which counter somebody works who is about to decide who a person is."""

from collections.abc import Collection
from uuid import UUID

from citizen_cloud.errors import Invalid
from citizen_cloud.organisations.refusals import NotACounter


def counter_of(counters: Collection[UUID], wanted: UUID | None) -> UUID:
    """Return the counter somebody works at; who works at several says at which.

    Raises ``NotACounter`` or ``Invalid``.
    """
    if not counters or (wanted is not None and wanted not in counters):
        raise NotACounter
    if wanted is None and len(counters) > 1:
        raise Invalid(errors=[{"pointer": "/organisation_id", "code": "required"}])
    return wanted or next(iter(counters))
