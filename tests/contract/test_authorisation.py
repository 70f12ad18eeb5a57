"""Who may do what, for every operation there is: enumerated from the running application.

Expected outcomes come from the marks alone. What no mark says (whose booking, whose outlet) comes
from ``OWNERS``: an id in a path belongs to somebody, and to everybody else it is not there.
"""

import pytest
from contract_world import ABSENT, OWNERS, OWNERS_IN, of_parts, parts
from flask import Flask

from citizen_cloud.portal import bookings
from citizen_cloud.web import gate
from citizen_cloud.web.caller import Grant, Ports
from citizen_cloud.web.marks import public

PASSES = "passes"
# What a service decides although the marks let somebody through, with the reason.
KIND = {
    # Staff accounts are no people: there is nothing they could agree to.
    "answerConsent": lambda actor: actor.role != "citizen",
    # Nor do they have a document; and only the newcomer consented to showing his.
    "proveRealName": lambda actor: actor.name != "newcomer",
    # Citizens have no password, and of the staff here only one does.
    "changePassword": lambda actor: actor.name != "keyholder",
    **of_parts("KIND"),
}


def expected(stack, operation, actor):
    """Return the status an actor gets, or that he passes."""
    access = operation["x-authz"]
    if access["access"] == "public":
        return PASSES
    if actor.role == "anonymous":
        return 401
    if access["access"] == "permission":
        if actor.role not in stack.roles[access["permission"]]:
            return 403
    elif access["level"] > actor.level:
        return 403 if actor.role != "citizen" else 401
    refused = KIND.get(operation["operationId"], lambda _: False)(actor)
    if refused:
        return 403 if refused is True else refused
    return 404 if is_anothers(operation, actor) else PASSES


def owners_of(operation):
    """Return whose the thing in the path is, None where it is everybody's."""
    for parameter in operation["parameters"]:
        if parameter["in"] != "path":
            continue
        name = parameter["name"]
        found = OWNERS_IN.get((operation["operationId"], name)) or OWNERS.get(name)
        if found is not None:
            return found
    return None


def is_anothers(operation, actor):
    owners = owners_of(operation)
    return owners is not None and actor.name not in owners


def judged(stack, operation, actor):
    """Return what is wrong with an answer, if anything is."""
    answer = stack.call(operation, actor)
    wanted = expected(stack, operation, actor)
    place = f"{operation['operationId']} as {actor.name}: {answer.status_code}, wanted {wanted}"
    if answer.status_code >= 500:
        return place
    if wanted is PASSES:
        return place if answer.status_code in (401, 403, 404) else None
    return None if answer.status_code == wanted else place


def matrix(stack):
    return [
        fault
        for operation in stack.operations
        for actor in stack.city.actors.values()
        if (fault := judged(stack, operation, actor))
    ]


def test_every_operation_serves_the_right_person(stack):
    """Without this the refusals below would prove nothing."""
    wrong = []
    for operation in stack.operations:
        answer = stack.call(operation, stack.right(operation))
        if not 200 <= answer.status_code < 400:
            wrong.append(f"{operation['operationId']}: {answer.status_code} {answer.text}")
        elif str(answer.status_code) not in operation["responses"]:
            wrong.append(f"{operation['operationId']}: {answer.status_code} is not documented")
    assert wrong == []


def test_the_matrix_of_operations_and_roles_holds(stack):
    assert len(stack.operations) * len(stack.city.actors) > 500
    assert matrix(stack) == []


# What an auditor may do beyond looking, at doors that ask who it is: with the own account only.
AUDITORS_OWN = {"askPersonBinding", "requestExport", "signOut", "signOutEverywhere", "undoClosure"}


def test_an_auditor_sees_everything_and_changes_nothing(stack):
    auditor, done = stack.city["auditor"], set()
    for operation in stack.operations:
        access = operation["x-authz"]
        if operation["method"] == "get" or access["access"] == "public":
            continue
        if access["access"] == "permission":
            assert "auditor" not in stack.roles[access["permission"]], operation["operationId"]
        if stack.call(operation, auditor).status_code < 400:
            done.add(operation["operationId"])
    assert done == AUDITORS_OWN


def without_place(answer):
    """Return a refusal without what names the request."""
    body = {k: v for k, v in answer.json.items() if k not in ("instance", "trace_id")}
    names = {name for name, _ in answer.headers}
    return answer.status_code, answer.mimetype, body, names


def path_ids(operation):
    return [p["name"] for p in operation["parameters"] if p["in"] == "path"]


def test_anothers_thing_and_an_absent_one_look_the_same(stack):
    wrong, compared = [], 0
    for operation in stack.operations:
        if owners_of(operation) is None:
            continue
        absent = stack.path(operation, **dict.fromkeys(path_ids(operation), ABSENT))
        for actor in stack.city.actors.values():
            if expected(stack, operation, actor) != 404:
                continue
            theirs = without_place(stack.call(operation, actor))
            none = without_place(stack.call(operation, actor, path=absent))
            compared += 1
            if theirs != none:
                wrong.append(f"{operation['operationId']} as {actor.name}: {theirs} {none}")
    assert compared > 20
    assert wrong == []


def test_an_absent_thing_is_not_found_by_those_who_may_ask(stack):
    wrong = []
    for operation in stack.operations:
        names = path_ids(operation)
        if not names:
            continue
        absent = stack.path(operation, **dict.fromkeys(names, ABSENT))
        answer = stack.call(operation, stack.right(operation), path=absent)
        if (answer.status_code, answer.json["code"]) != (404, "not_found"):
            wrong.append(f"{operation['operationId']}: {answer.status_code} {answer.text}")
    assert wrong == []


PEERS = {
    "neighbour": ("booking_id", "message_id", "device_id"),
    "newcomer": ("booking_id", "message_id", "device_id"),
    "other_clerk": ("booking_id", "redemption_id", "membership_id", "message_id"),
    "other_manager": ("booking_id", "redemption_id", "membership_id", "message_id"),
}
for part in parts:
    for peer, private in getattr(part, "PEERS", {}).items():
        PEERS[peer] = (*PEERS[peer], *private)


def test_no_answer_names_what_belongs_to_somebody_else(stack):
    leaks = []
    # The right body of createToken holds the owner's refresh token: whoever has it is the owner.
    asked = [one for one in stack.operations if one["operationId"] != "createToken"]
    for operation in asked:
        for name, private in PEERS.items():
            path = stack.path(operation, **dict.fromkeys(private, ABSENT))
            seen = stack.call(operation, stack.city[name], path=path).text
            leaks += [
                f"{operation['operationId']} shows {name} {what}"
                for what in private
                if stack.city.ids[what] in seen
            ]
    assert leaks == []


def test_a_token_of_another_account_opens_nothing_once_signed_out(stack):
    """A session that ended is nobody, at every door."""
    owner = stack.city["owner"]
    with stack.undone():
        ended = stack.client.post("/api/v1/auth/logout", headers=owner.headers)
        assert ended.status_code == 204
        for operation in stack.operations:
            if operation["x-authz"]["access"] != "public":
                answer = stack.call(operation, owner)
                assert answer.status_code == 401, operation["operationId"]


# Negative controls: a guard taken away must be noticed.


def test_the_matrix_notices_a_missing_owner_filter(stack, monkeypatch):
    monkeypatch.setattr(bookings, "_owns", lambda *_: True)
    found = matrix(stack)
    assert any(fault.startswith("getBooking as neighbour: 200") for fault in found)


def test_the_matrix_notices_a_missing_tenant_filter(stack, monkeypatch):
    monkeypatch.setattr(Grant, "covers", lambda *_: True)
    found = matrix(stack)
    assert any(fault.startswith("changeOutlet as other_clerk: 200") for fault in found)


def test_the_matrix_notices_a_permission_that_is_not_asked_for(stack, monkeypatch):
    real = stack.app.extensions["citizen_cloud.ports"]
    wide = Ports(
        authenticate=real.authenticate,
        granted=lambda *_: Grant(everywhere=True),
        module_state=real.module_state,
    )
    monkeypatch.setattr(gate, "_check_caller", only_first(wide))
    found = matrix(stack)
    assert any(fault.startswith("setModuleState as owner: 200") for fault in found)


def only_first(wide):
    """Return the gate's check with ports that grant everything to everybody."""
    check = gate._check_caller
    return lambda _, access: check(wide, access)


def test_an_unmarked_route_is_refused_at_start():
    app = Flask("unmarked", static_folder=None)
    app.add_url_rule("/open-house", view_func=lambda: "welcome")
    ports = Ports(authenticate=None, granted=None, module_state=None)
    with pytest.raises(gate.UnmarkedRoute, match="/open-house"):
        gate.install(app, ports, min_app_version="1.0.0")


def test_a_coroutine_route_is_refused_at_start():
    async def welcome():
        return "welcome"

    app = Flask("coroutine", static_folder=None)
    app.add_url_rule("/open-house", view_func=public(welcome))
    ports = Ports(authenticate=None, granted=None, module_state=None)
    with pytest.raises(gate.CoroutineRoute, match="/open-house"):
        gate.install(app, ports, min_app_version="1.0.0")
