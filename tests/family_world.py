"""Families for tests: asked, agreed and attested through HTTP, as an app and a counter do it."""

import people
from sqlalchemy import event, text

from citizen_cloud import clock, db
from citizen_cloud.app import contributions
from citizen_cloud.cli.jobs import handlers_of
from citizen_cloud.jobs.dispatch import dispatch
from citizen_cloud.modules.health_code.manifest import module as health_code
from citizen_cloud.modules.masks.manifest import module as masks

ROOT = "/api/v1"
CHILD, TEEN, ELDER = "20200101", "20120101", "19400101"
NAME = "王小明"


def shown(number, name=NAME):
    return {"document_type": "resident_id", "document_number": number, "name": name}


def ask(client, who, number, *, relation="adult", scopes=("masks",), name=NAME, **more):
    body = {**shown(number, name), "relation": relation, "scopes": list(scopes), **more}
    return client.post(f"{ROOT}/me/dependants", json=body, headers=who.headers)


def decide(client, who, request_id, agreed=True, **more):
    return client.post(
        f"{ROOT}/me/link-requests/{request_id}/decision",
        json={"agreed": agreed, **more},
        headers=who.headers,
    )


def requests_of(client, who):
    return client.get(f"{ROOT}/me/link-requests", headers=who.headers).json["items"]


def dependants_of(client, who):
    return client.get(f"{ROOT}/me/dependants", headers=who.headers).json["items"]


def vouch(client, clerk, represented, *, acting=None, relation="child", scopes=("masks",), **more):
    """Let one clerk attest a link: the first of two, or the second."""
    body = {
        "represented": shown(represented),
        "relation": relation,
        "scopes": list(scopes),
        "evidence_reference": "2026-0317",
        **({"acting": shown(acting)} if acting else {}),
        **more,
    }
    return client.post(f"{ROOT}/counter/links", json=body, headers=clerk.headers)


def attest(client, clerk, represented, **facts):
    """Let a clerk and a colleague attest a link; return the first refusal, or the second answer."""
    first = vouch(client, clerk, represented, **facts)
    if first.status_code != 200:
        return first
    assert first.json["status"] == "pending", first.json
    return vouch(client, colleague_of(clerk), represented, **facts)


def colleague_of(clerk):
    place = rows(
        "SELECT organisation_id FROM organisations.membership WHERE account_id = :a",
        a=clerk.account_id,
    )[0][0]
    return people.staff(place)


def clerk():
    return people.staff(people.hall())


def child_of(client, *guardians, birth=CHILD, scopes=("masks",), number=None):
    """Return the person id of a child whose guardians were recorded at a counter."""
    number, at_counter = number or people.document(birth), clerk()
    for guardian in guardians:
        made = attest(client, at_counter, number, acting=guardian.document_number, scopes=scopes)
        assert made.status_code == 200, made.json
    return dependants_of(client, guardians[0])[0]["person_id"]


def agreed(client, proxy, person, *, scopes=("masks",), **more):
    """Let an adult agree that somebody acts for him; return the link's id."""
    asked = ask(client, proxy, person.document_number, scopes=scopes, **more)
    assert asked.status_code == 202, asked.json
    answer = decide(client, person, asked.json["id"])
    assert answer.status_code == 200, answer.json
    return asked.json["id"]


def get(client, path, who, person_id=None):
    query = {} if person_id is None else {"on_behalf_of": str(person_id)}
    return client.get(f"{ROOT}{path}", headers=who.headers, query_string=query)


def post(client, path, who, person_id=None, *, json=None, key=None):
    query = {} if person_id is None else {"on_behalf_of": str(person_id)}
    return client.post(f"{ROOT}{path}", json=json or {}, headers=who.key(key), query_string=query)


def book(client, who, offer_id, person_id=None, *, key=None, quantity=1):
    path = f"/masks/offers/{offer_id}/bookings"
    return post(client, path, who, person_id, json={"quantity": quantity}, key=key)


def refusal(answer):
    return answer.status_code, answer.json["code"]


def deliver():
    """Hand every event to the handlers of all rooms and services."""
    handlers = handlers_of([*contributions(), masks, health_code])
    while dispatch(handlers):
        pass
    assert rows("SELECT error FROM jobs.outbox WHERE error IS NOT NULL") == []


def rows(sql, **values):
    with db.transaction() as session:
        return [tuple(row) for row in session.execute(text(sql), values)]


def run(sql, **values):
    with db.transaction() as session:
        session.execute(text(sql), values)


def looks(person_id):
    """Return what a person is shown of others' looks: purpose, outcome, basis."""
    return rows(
        "SELECT purpose, outcome, basis_type FROM accounts.data_access "
        "WHERE person_id = :p AND reader_kind = 'proxy' ORDER BY id",
        p=person_id,
    )


def inbox(who):
    found = rows(
        "SELECT kind FROM messages.message WHERE account_id = :a ORDER BY id", a=who.account_id
    )
    return [kind for (kind,) in found]


class Statements:
    """Collects the SQL of a connection or engine, savepoints aside."""

    def __init__(self, connection):
        self.connection = connection
        self.seen = []

    def _note(self, _connection, _cursor, statement, *_):
        if not statement.lstrip().upper().startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            self.seen.append(" ".join(statement.split()))

    def __enter__(self):
        event.listen(self.connection, "before_cursor_execute", self._note)
        return self.seen

    def __exit__(self, *_):
        event.remove(self.connection, "before_cursor_execute", self._note)


def now():
    return clock.now()
