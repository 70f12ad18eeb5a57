"""Who may have a share, decided from memory, so that booking it is the kernel's one statement."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from uuid import UUID

from sqlalchemy.engine import Connection

from citizen_cloud.accounts.identity import document_number
from citizen_cloud.accounts.rules.documents import birth_on
from citizen_cloud.booking.services import Order
from citizen_cloud.errors import NotFound
from citizen_cloud.modules.masks.queries.offers import OfferFacts, offer_facts
from citizen_cloud.modules.masks.rules.eligibility import Applicant, from_json, why_not
from citizen_cloud.modules.masks.rules.rationing import PROFILES, quota
from citizen_cloud.modules.masks.rules.refusals import QuantityAboveLimit
from citizen_cloud.web.caller import Identity

MOST_REMEMBERED = 20_000
Read = Callable[[], AbstractContextManager[Connection]]


class Facts:
    """What never changes of offers, in this process; the oldest are forgotten first.

    Stock, status and times of opening are not in here: the kernel reads them when it books.
    """

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._known: dict[UUID, OfferFacts] = {}

    def of(self, offer_id: UUID, read: Read) -> OfferFacts:
        """Return the facts of an offer, by one SELECT the first time. Raises ``NotFound``."""
        known = self._known.get(offer_id)
        if known is None:
            with read() as connection:
                known = offer_facts(connection, offer_id)
            if known is None:
                raise NotFound
            while len(self._known) >= self._most:
                self._known.pop(next(iter(self._known)), None)
            self._known[offer_id] = known
        return known


facts = Facts()


def order_for(
    *,
    offer_id: UUID,
    person: Identity,
    booked_by: UUID,
    quantity: int,
    request_key: str,
    request_hash: bytes,
    read: Read,
    link_id: UUID | None = None,
) -> Order:
    """Return the kernel's order for some pieces of an offer, if this person may have them.

    ``link_id`` says by which right somebody else books; it joins the event and the audit entry.
    Reads nothing once the offer is known here; ``read`` opens a connection where it is not.
    Raises ``NotFound``, ``NotEligible`` and ``QuantityAboveLimit``.
    """
    offer = facts.of(offer_id, read)
    profile = PROFILES[offer.profile]
    most = profile.most[offer.product_class]
    if quantity > most:
        errors = [{"pointer": "/quantity", "code": "out_of_range"}]
        raise QuantityAboveLimit(most=most, errors=errors)
    _check_eligible(offer, person)
    return Order(
        slot_id=offer_id,
        person_id=person.person_id,
        person_key=person.person_key,
        booked_by=booked_by,
        quantity=quantity,
        request_key=request_key,
        request_hash=request_hash,
        quota=quota(profile, offer.product_class, offer.window_on),
        payload={} if link_id is None else {"link_id": link_id},
        actor_kind="citizen",
    )


def _check_eligible(offer: OfferFacts, person: Identity) -> None:
    """Open the document only where a condition asks for it."""
    terms = from_json(offer.eligibility)
    if not terms.needs_document:
        return
    number = document_number(person)
    applicant = Applicant(
        document_type=person.document_type,
        document_number=number,
        birth_on=birth_on(person.document_type, number),
    )
    refusal = why_not(terms, applicant, offer.window_on)
    if refusal is not None:
        raise refusal
