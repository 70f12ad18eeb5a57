"""Export returns every row of this room, and erasure leaves none."""

import json

import partners
import people
from sqlalchemy import text

from citizen_cloud import clock, db
from citizen_cloud.manifest import Subject
from citizen_cloud.oidc.contribution import contribution

HELD = contribution.personal_data


def test_the_bundle_holds_every_row_and_nobody_elses(flow, site, citizen, session):
    flow.tokens(site, citizen)
    flow.tokens(site, people.citizen())
    for subject in (
        Subject(account_id=citizen.account_id),
        Subject(person_id=citizen.person_id),
    ):
        bundle = HELD.export(session, subject)
        json.dumps(bundle, default=str)
        assert len(bundle["partner_consents"]) == 1
        assert len(bundle["partner_sign_ins"]) == 1
        assert len(bundle["partner_requests"]) == 1
        assert bundle["partner_consents"][0]["scopes"] == ["openid", "phone", "profile"]


def test_erasure_leaves_no_row_and_no_working_token(flow, site, citizen):
    told = flow.tokens(site, citizen)
    other = flow.tokens(site, people.citizen())
    subject = Subject(account_id=citizen.account_id, person_id=citizen.person_id)
    with db.transaction() as session:
        assert HELD.erase(session, subject, clock.now()) == 4
        for table in ("consent", "issuance", "request"):
            rows = session.scalars(text(f"SELECT account_id FROM oidc.{table}")).all()
            assert citizen.account_id not in rows
        bundle = HELD.export(session, subject)
        assert all(rows == [] for rows in bundle.values())
    assert flow.userinfo(told["access_token"]).status_code == 401
    assert flow.refresh(site, told["refresh_token"]).status_code == 400
    assert flow.userinfo(other["access_token"]).status_code == 200


def test_a_systems_account_is_shown_to_whoever_asks_for_it(hospital, session):
    system = partners.register(
        hospital, kind="service", scopes=("masks.redeem",), permissions=("masks.redeem",)
    )
    account_id = session.scalar(
        text("SELECT account_id FROM oidc.client WHERE id = :id"), {"id": system.id}
    )
    [shown] = HELD.export(session, Subject(account_id=account_id))["systems"]
    assert shown["client_id"] == system.id


def test_every_sealed_column_is_declared(shared_app):
    from citizen_cloud.db import Base

    declared = {(one.table, one.column) for one in contribution.sealed}
    found = {
        (table.fullname, column.name)
        for table in Base.metadata.tables.values()
        if table.schema == "oidc"
        for column in table.columns
        if column.name.endswith("_sealed")
    }
    assert found == declared
