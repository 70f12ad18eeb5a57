"""What the families room takes and gives."""

from citizen_cloud.accounts.rules.documents import DOCUMENT_TYPES
from citizen_cloud.families.rules import RELATIONS
from citizen_cloud.web.fields import Day, Flag, Instant, ListOf, OneOf, Part, Str, Uuid
from citizen_cloud.web.schemas import Incoming, Outgoing, page_of

MOST_SCOPES = 32
SCOPE = "[a-z][a-z0-9_]{0,31}"
STATUSES = ("pending", "active", "refused", "revoked", "expired")
AGREED_BY = ("own_account", "guardian", "counter")


def _scopes(**options: object) -> object:
    return ListOf(
        Str(max_length=32, pattern=SCOPE, metadata={"example": "masks"}),
        min_length=1,
        max_length=MOST_SCOPES,
        metadata={
            "description": "Names of services (`GET /modules`), and `messages`",
            "example": ["masks"],
        },
        **options,
    )


class NewDependantSchema(Incoming):
    """Whom to act for, how they are related, and in which services."""

    relation = OneOf(
        *RELATIONS,
        required=True,
        metadata={"description": "`child` for everybody under 18", "example": "adult"},
    )
    document_type = OneOf(*DOCUMENT_TYPES, required=True, metadata={"example": "resident_id"})
    document_number = Str(required=True, max_length=32, metadata={"example": "11010519491231002X"})
    name = Str(required=True, max_length=60, metadata={"example": "王小明"})
    scopes = _scopes(required=True)
    expires_on = Day(metadata={"description": "The last day; left out, until it is ended"})


class DependantSchema(Outgoing):
    """A link or a request of the caller's."""

    id = Uuid()
    person_id = Uuid(
        allow_none=True,
        metadata={"description": "For `on_behalf_of`; null until the link is active"},
    )
    name = Str(max_length=64, metadata={"description": "Masked", "example": "王*明"})
    relation = OneOf(*RELATIONS, metadata={"example": "elder"})
    scopes = _scopes()
    status = OneOf(*STATUSES, metadata={"example": "pending"})
    agreed_by = OneOf(*AGREED_BY, allow_none=True, metadata={"example": "own_account"})
    requested_at = Instant()
    answer_by = Instant(metadata={"description": "Until when a request can be answered"})
    decided_at = Instant(allow_none=True)
    expires_at = Instant(allow_none=True)


class ScopesSchema(Incoming):
    """The services that are left."""

    scopes = _scopes(required=True)


class ProxySchema(Outgoing):
    """Somebody who may act for a person."""

    id = Uuid()
    name = Str(max_length=64, metadata={"description": "Masked", "example": "李*光"})
    relation = OneOf(*RELATIONS, metadata={"example": "elder"})
    scopes = _scopes()
    agreed_by = OneOf(*AGREED_BY, metadata={"example": "own_account"})
    decided_at = Instant()
    expires_at = Instant(allow_none=True)


class LinkRequestSchema(Outgoing):
    """Somebody's request that waits for the caller's answer."""

    id = Uuid()
    name = Str(max_length=64, metadata={"description": "Who asks; masked", "example": "李*光"})
    relation = OneOf(*RELATIONS, metadata={"example": "elder"})
    child_id = Uuid(
        allow_none=True,
        metadata={"description": "The child it is about; null where it is about the caller"},
    )
    scopes = _scopes()
    requested_at = Instant()
    answer_by = Instant()
    expires_at = Instant(allow_none=True)


class LinkDecisionSchema(Incoming):
    """Yes to all or some of the services, or no."""

    agreed = Flag(required=True, metadata={"example": True})
    scopes = _scopes()


class DecidedSchema(Outgoing):
    """What became of a request."""

    id = Uuid()
    status = OneOf("active", "refused", metadata={"example": "active"})


class ShownDocumentSchema(Incoming):
    """A document that lies on the table."""

    document_type = OneOf(*DOCUMENT_TYPES, required=True, metadata={"example": "resident_id"})
    document_number = Str(required=True, max_length=32, metadata={"example": "11010519491231002X"})
    name = Str(required=True, max_length=60, metadata={"example": "王小明"})


def _organisation() -> Uuid:
    return Uuid(
        metadata={"description": "Needed where the clerk works at several", "no_example": True}
    )


class CounterLinkSchema(Incoming):
    """Two people at a counter; or one of them, and the request of the other."""

    request_id = Uuid(
        metadata={"description": "Instead of `acting`: the asker's request", "no_example": True}
    )
    acting = Part(ShownDocumentSchema)
    represented = Part(ShownDocumentSchema, required=True)
    relation = OneOf(*RELATIONS, required=True, metadata={"example": "elder"})
    scopes = _scopes(required=True)
    expires_on = Day(metadata={"description": "The last day; left out, until it is ended"})
    evidence_reference = Str(
        required=True,
        max_length=100,
        metadata={"description": "Where the copies are filed; kept sealed", "example": "2026-0317"},
    )
    organisation_id = _organisation()


class CounterEndSchema(Incoming):
    """Whose link to whom ends, by which evidence."""

    acting = Part(ShownDocumentSchema, required=True)
    represented = Part(ShownDocumentSchema, required=True)
    evidence_reference = Str(required=True, max_length=100, metadata={"example": "2026-0318"})
    organisation_id = _organisation()


class CounterLinkMadeSchema(Outgoing):
    """The link; an active one counts from the acting person's next request on."""

    id = Uuid()
    status = OneOf(
        *("pending", "active", "revoked"),
        metadata={"description": "`pending` until a second clerk attests", "example": "pending"},
    )


DependantPageSchema = page_of(DependantSchema)
ProxyPageSchema = page_of(ProxySchema)
LinkRequestPageSchema = page_of(LinkRequestSchema)
