import people
import pytest
from sqlalchemy import event, text

from citizen_cloud.portal.state import HOST


@pytest.fixture
def statements(database):
    """Collect the SQL of the test's connection, without savepoints."""
    seen = []

    def note(_connection, _cursor, statement, *_):
        if not statement.upper().startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            seen.append(statement)

    event.listen(database.connection, "before_cursor_execute", note)
    yield seen
    event.remove(database.connection, "before_cursor_execute", note)


def test_home_is_one_call_and_at_most_one_statement_more_than_modules(client, app, statements):
    me = people.citizen()
    booked = people.booking(me, people.offer())
    modules = len(app.extensions[HOST].modules)
    client.get("/api/v1/home", headers=me.headers)
    statements.clear()
    answer = client.get("/api/v1/home", headers=me.headers)
    assert answer.status_code == 200, answer.json
    assert len(statements) <= 1 + modules, statements
    assert [item["id"] for item in answer.json["next"]] == [str(booked)]
    tile = next(tile for tile in answer.json["tiles"] if tile["module"] == "masks")
    assert tile["badge"] == 1
    assert tile["state"] == "active"


def test_home_needs_a_sign_in_and_works_before_the_real_name_step(client):
    assert client.get("/api/v1/home").status_code == 401
    answer = client.get("/api/v1/home", headers=people.citizen(level=1).headers)
    assert answer.status_code == 200
    assert answer.json["next"] == []


def test_a_module_that_is_off_has_no_tile(client, app):
    me = people.citizen()
    app.extensions[HOST].switchboard.take({"masks": ("off", {}), "health_code": ("off", {})})
    assert client.get("/api/v1/home", headers=me.headers).json["tiles"] == []
    assert client.get("/api/v1/modules").json["items"] == []


def test_the_agenda_is_one_select_over_all_modules(client, statements):
    me = people.citizen()
    booked = people.booking(me, people.offer())
    client.get("/api/v1/me/agenda", headers=me.headers)
    statements.clear()
    answer = client.get("/api/v1/me/agenda", headers=me.headers)
    assert [item["id"] for item in answer.json["items"]] == [str(booked)]
    assert len(statements) == 2


def test_an_app_that_is_too_old_is_told_where_to_look(client):
    old = {"X-App-Version": "0.9.1"}
    answer = client.get("/api/v1/modules", headers=old)
    assert answer.status_code == 426
    assert answer.json["code"] == "client_too_old"
    assert client.get("/api/v1/app/config", headers=old).status_code == 200
    assert client.get("/api/v1/modules", headers={"X-App-Version": "1.0.0"}).status_code == 200
    assert client.get("/api/v1/modules", headers={"X-App-Version": "1.10"}).status_code == 200


def test_app_config_names_versions_languages_and_modules(client):
    config = client.get("/api/v1/app/config").json
    assert config["languages"] == ["zh-CN", "en"]
    assert config["min_version"] == "1.0.0"
    assert [module["name"] for module in config["modules"]] == ["health_code", "masks"]


def test_health_doors_answer_and_metrics_stay_at_home(client):
    assert client.get("/livez").json == {"status": "ok"}
    assert client.get("/readyz").status_code == 200
    assert b"citizen_cloud_requests_total" in client.get("/metrics").data
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "10.0.0.9"}).status_code == 403
    forwarded = {"X-Forwarded-For": "127.0.0.1"}
    assert client.get("/metrics", headers=forwarded).status_code == 403


def test_metrics_are_labelled_by_template_never_by_path(client):
    me = people.citizen()
    booked = people.booking(me, people.offer())
    client.get(f"/api/v1/bookings/{booked}", headers=me.headers)
    metrics = client.get("/metrics").data.decode()
    assert str(booked) not in metrics
    assert "/api/v1/bookings/<uuid:booking_id>" in metrics


def test_the_documentation_is_served_from_here(client):
    assert b"swagger-ui-bundle.js" in client.get("/docs").data
    with client.get("/docs/swagger-ui-bundle.js") as bundle:
        assert bundle.status_code == 200
    assert client.get("/docs/../../setup.cfg").status_code == 404
    assert client.get("/openapi.json").json["openapi"].startswith("3.1")


def test_every_problem_has_a_page(client):
    assert b"<code>full</code>" in client.get("/problems/full").data
    assert client.get("/problems/nonsense").status_code == 404
    assert client.get("/.well-known/security.txt").status_code == 200


def test_readiness_says_when_the_database_is_gone(client, app, monkeypatch):
    from sqlalchemy.exc import OperationalError

    from citizen_cloud import db

    def gone():
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    monkeypatch.setattr(db, "statement", gone)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert client.get("/livez").status_code == 200


def test_the_outbox_and_audit_know_of_a_booking(session, client):
    me = people.citizen()
    people.booking(me, people.offer())
    assert (
        session.scalar(text("SELECT count(*) FROM jobs.outbox WHERE event = 'booking.booked'")) == 1
    )
