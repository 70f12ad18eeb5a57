"""A kind of decision that only counts how often it was applied."""

from marshmallow import Schema
from sqlalchemy import text

from citizen_cloud.errors import Conflict
from citizen_cloud.manifest import DecisionKind, Terms
from citizen_cloud.text import Text
from citizen_cloud.web.fields import Int, Str
from citizen_cloud.web.schemas import Incoming

REASONS = {"exercise": Text("演练", "An exercise")}


class ToyRefused(Conflict):
    """The toy does not want to."""

    code = "toy_refused"


class ToyPayloadSchema(Incoming):
    """What the toy is asked for."""

    size = Int(required=True, minimum=1, maximum=10_000)
    account_id = Str(max_length=64)


class Toy:
    """Says what it needs, and remembers what was done in a table of the test's own."""

    def __init__(self, *, needs=lambda _: 2, fails=False, payload: type[Schema] = ToyPayloadSchema):
        self.needs = needs
        self.fails = fails
        self.kind = DecisionKind(
            name="toy.change",
            title=Text("演练事项", "A toy"),
            permission="approvals.propose",
            payload=payload,
            reasons=REASONS,
            check=self.check,
            apply=self.apply,
        )

    def check(self, session, proposal, now):
        del session, now
        return Terms(approvals=self.needs(proposal), summary={"size": proposal.payload.get("size")})

    def apply(self, session, proposal, now):
        del now
        session.execute(
            text("SELECT set_config('toy.applied', :done, true)"),
            {"done": f"{applied(session)}x"},
        )
        session.execute(
            text(
                "INSERT INTO jobs.outbox (id, event, payload) "
                "VALUES (uuidv7(), 'toy.applied', '{}')"
            )
        )
        if self.fails:
            raise ToyRefused
        return {"size": proposal.payload["size"]}


def applied(session):
    """Return how often the toy was applied, by marks in this transaction."""
    return session.scalar(text("SELECT current_setting('toy.applied', true)")) or ""


def count(session):
    """Return how often the toy was applied and stayed so."""
    return session.scalar(text("SELECT count(*) FROM jobs.outbox WHERE event = 'toy.applied'"))
