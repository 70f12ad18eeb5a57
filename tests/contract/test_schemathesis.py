"""Schemathesis drives every operation as every role, in a database of its own.

All of schemathesis' checks are on; what one of them may not expect stands in ``EXCUSED`` with the
reason. 10 generated examples for each operation and role, 200 with ``PROVE=1``.
"""

import os
from collections import defaultdict
from dataclasses import dataclass

import people
import pytest
import schemathesis
from contract_world import build, of_parts, operations
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from schemathesis.transport.wsgi import WSGITransport

from citizen_cloud import clock
from citizen_cloud.accounts import tokens
from citizen_cloud.app import create_app, roles_by_permission
from citizen_cloud.cache import Cache
from citizen_cloud.portal.state import HOST
from citizen_cloud.web import limits
from citizen_cloud.web.body import BoundedBody

IS_PROOF = bool(os.environ.get("PROVE"))
EXAMPLES = 200 if IS_PROOF else 10
PATIENCE_S = 1800 if IS_PROOF else 300
# Where a role may not enter, the gate answers before anything is read: a few are enough.
EXAMPLES_OUTSIDE = 3
EXAMPLES_LAST = 5
# Each role's operations are dealt out, so that the workers can share them.
SHARES = 1 if IS_PROOF else 2
SEED = 20261123
ROLES = ("anonymous", "owner", "clerk", "admin", "auditor")

# Instants and days are served between 2000 and 2100; a format cannot say so.
schemathesis.openapi.format(
    "date", st.dates(people.today().replace(2000), people.today().replace(2099)).map(str)
)
schemathesis.openapi.format(
    "date-time",
    st.datetimes(
        clock.now().replace(2000, tzinfo=None), clock.now().replace(2099, tzinfo=None)
    ).map(lambda instant: instant.isoformat(timespec="seconds") + "+08:00"),
)


@schemathesis.deserializer("application/json")
def _read(context, response):
    """Read JSON; a signed document, which 4.32 takes for JSON by its name, is the text it is."""
    del context
    is_signed = response.headers.get("content-type", [""])[0].startswith("application/jwt")
    return response.content.decode("ascii") if is_signed else response.json()


REFUSED = ["400", "401", "403", "404", "405", "406", "409", "415", "422", "428", "429", "5xx"]
ACCEPTED = ["2xx", "3xx", "401", "403", "404", "409"]
# Rules that JSON Schema cannot say, so that data which fits the schema may be refused with 422.
EXCUSED = {
    "requestCode": "which numbers can receive a text is known to the numbering plan",
    "createToken": "three grants in one body; which members go together stands in the text",
    "proveRealName": "an identity number has a check digit and a birth date inside",
    "requestNewPhoneCode": "as requestCode",
    "answerConsent": "a key that was used is not used for another body",
    "stepUp": "a code or a password with a code; which members go together stands in the text",
    "changePassword": "the current password is not the one generated",
    "acceptInvitation": "nobody handed the generated code out",
    "joinOrganisation": "likewise",
    "useReset": "likewise",
    "confirmStaffAccount": "likewise",
    "previewStaffAccount": "likewise",
    "confirmTotp": "the generated code is of no authenticator",
    "createOrganisation": "area codes are a list of thousands; the county is read off the address",
    "changeOrganisation": "likewise",
    "createMaskCampaign": "ends follow beginnings",
    "publishMaskOffers": "windows lie inside the campaign and do not overlap",
    "bookMasks": "the most per person depends on the campaign",
    "changeOutletOffer": "a change of nothing",
    "redeemMasks": "either the code alone, or reference and document together",
    "setModuleSettings": "the module's own names and bounds",
    "importStock": "a generated file is no stock file",
    "listMaskOffers": "a position lies on the earth",
    **of_parts("EXCUSED"),
}


SPARING = {
    "requestCode",
    "requestCounterCode",
    "requestNewPhoneCode",
    "requestStepUpCode",
    "askForDependant",
}


@dataclass(frozen=True)
class Driven:
    """The application on a database of its own, and everybody in it."""

    app: object
    city: object
    spec: dict
    served: object


@pytest.fixture
def _probes(monkeypatch):
    """Let schemathesis' probes without credentials through.

    4.32 takes a network's settings away from a call of an application only where it has a session;
    these have none.
    """
    send = WSGITransport.send

    def without_network(self, case, **kwargs):
        for name in ("max_redirects", "verify", "cert", "proxies"):
            kwargs.pop(name, None)
        return send(self, case, **kwargs)

    monkeypatch.setattr(WSGITransport, "send", without_network)


@pytest.fixture
def driven(fresh_database, _probes):
    app = create_app(fresh_database.settings)
    # What limits do is another test's; here they would hide what lies behind them.
    app.extensions[limits.EXTENSION] = Unlimited(Cache(None))
    served = closing(BoundedBody(app, fresh_database.settings))
    spec = app.test_client().get("/openapi.json").json
    yield Driven(app, build(), spec, served)
    app.extensions[HOST].database.dispose()


def closing(served):
    """End each answer as a server would; schemathesis' client leaves it open."""

    def whole(environ, start_response):
        answer = served(environ, start_response)
        try:
            return [b"".join(answer)]
        finally:
            if hasattr(answer, "close"):
                answer.close()

    return whole


class Unlimited(limits.Limiter):
    def hit(self, limit, door, key):
        return limits.Standing(policy="1;w=1", limit=1, remaining=1, reset_s=1)


def accepted(operation):
    """Return the statuses that data which fits the schema may get."""
    name, names = operation["operationId"], {one["name"] for one in operation["parameters"]}
    return [
        *ACCEPTED,
        *["422"] * (name in EXCUSED),
        # A cursor is opaque and signed: a generated one was not made here.
        *["400"] * ("cursor" in names),
        # A generated version is not the present one; "0" passes for one, whatever the pattern says.
        *["412", "400"] * ("If-Match" in names),
        # One code a minute for each phone; so many wishes a day.
        *["429"] * (name in SPARING),
    ]


def config_of(examples, city, spec, actor):
    """Return the configuration: every check, deterministic, ids that exist where that goes."""
    alike = defaultdict(list)
    for operation in operations(spec):
        alike[tuple(accepted(operation))].append(operation["operationId"])
    # Few groups: schemathesis asks each of them about each request it makes.
    own = [
        {
            "include-operation-id": names,
            "checks": {
                "positive_data_acceptance": {"expected-statuses": list(statuses)},
                # A version that has not even the form of one is not the present one either.
                "negative_data_rejection": {
                    "expected-statuses": [*REFUSED, *["412"] * ("412" in statuses)]
                },
            },
        }
        for statuses, names in alike.items()
    ]
    ids = {k: v for k, v in city.ids.items() if k not in ("device_id", "membership_id")}
    return SchemathesisConfig.from_dict(
        {
            "seed": SEED,
            "headers": headers_of(actor),
            "continue-on-failure": True,
            "warnings": False,
            "parameters": {f"path.{name}": value for name, value in ids.items()},
            "generation": {
                "max-examples": examples,
                "deterministic": True,
                "no-shrink": True,
                "database": "none",
            },
            "phases": {
                "stateful": {"enabled": False},
                "coverage": {"enabled": examples > EXAMPLES_OUTSIDE},
            },
            "operations": own,
        }
    )


def headers_of(actor):
    """Return what the actor sends, with a token that was issued now: a run may take minutes."""
    if actor.someone is None:
        return {}
    claims = tokens.read(actor.someone.token)
    token = tokens.issue(
        account_id=claims.account_id, sign_in_id=claims.sign_in_id, now=clock.now()
    )
    return {"Authorization": f"Bearer {token}"}


def may_enter(operation, actor, roles):
    access = operation["x-authz"]
    if access["access"] == "public":
        return actor.role == "anonymous"
    if access["access"] == "permission":
        return actor.role in roles[access["permission"]]
    # Of staff accounts one speaks for all: at these doors no role counts.
    return actor.level >= access["level"] and actor.name in ("owner", "clerk")


def run(driven, actor, names, examples):
    """Drive some operations as one person; return how many answers came and what was wrong."""
    config = config_of(examples, driven.city, driven.spec, actor)
    schema = schemathesis.openapi.from_wsgi("/openapi.json", driven.served, config=config)
    # Not include(): beside settings of single operations it leaves nothing out.
    labels = {
        f"{o['method'].upper()} {o['path']}": o["operationId"] for o in operations(driven.spec)
    }
    schema = schema.exclude(operation_id=sorted(set(labels.values()) - names))
    answers, wrong, seen = 0, [], set()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            seen.add(labels[event.recorder.label])
            answers += len(event.recorder.interactions)
            wrong += failures(event.recorder)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            wrong.append(str(getattr(event, "value", None) or event.exception))
    assert seen == names
    return answers, wrong


def failures(recorder):
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.status == Status.FAILURE:
                case = recorder.cases[case_id].value
                failure = check.failure_info.failure
                status = getattr(failure, "status_code", "")
                yield f"{recorder.label} {check.name} {status}: {failure.title} {failure.message} {case.as_curl_command()}"[
                    :900
                ]


# These end the sign-in they are asked with: after them, everything else would be refused.
LAST = {"signOut", "signOutEverywhere", "closeAccount", "removeDevice", "reportHealthDeviceLost"}


@pytest.mark.timeout(PATIENCE_S)
@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("name", ROLES)
def test_schemathesis_finds_nothing(driven, name, share, record_property):
    actor = driven.city[name]
    roles = roles_by_permission(driven.app.extensions[HOST].permissions)
    inside, outside = set(), set()
    for operation in operations(driven.spec)[share::SHARES]:
        entered = may_enter(operation, actor, roles)
        (inside if entered else outside).add(operation["operationId"])
    answers, wrong = 0, []
    for names, examples in (
        (inside - LAST, EXAMPLES),
        (outside, EXAMPLES_OUTSIDE),
        (inside & LAST, EXAMPLES_LAST),
    ):
        if names:
            assert is_still_known(driven, actor), "what follows would be refused whatever is sent"
            more, found = run(driven, actor, names, examples)
            answers += more
            wrong += found

    record_property("trials", answers)
    assert answers > 5 * (len(inside) + len(outside))
    assert "\n".join(sorted(set(wrong))) == ""


def is_still_known(driven, actor):
    """Say whether the actor's token still opens his door, and nobody's does not."""
    answer = driven.app.test_client().get("/api/v1/me", headers=headers_of(actor))
    return answer.status_code == (401 if actor.someone is None else 200)


def test_schemathesis_notices_an_answer_that_breaks_the_contract(driven):
    """Negative control: a door that fails, answers HTML and lets strangers in is found."""

    def failing(environ, start_response):
        if environ["PATH_INFO"] == "/openapi.json":
            return driven.served(environ, start_response)
        is_me = environ["PATH_INFO"] == "/api/v1/me"
        start_response("200 OK" if is_me else "500 Oops", [("Content-Type", "text/html")])
        return [b"<p>hello</p>"]

    broken = Driven(driven.app, driven.city, driven.spec, failing)
    _, wrong = run(broken, driven.city["owner"], {"getMe", "getAppConfig"}, EXAMPLES_OUTSIDE)
    found = "\n".join(wrong)
    for check in ("not_a_server_error", "content_type_conformance", "ignored_auth"):
        assert check in found
