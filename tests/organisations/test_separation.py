"""Who looks after the platform serves nobody, and who audits does nothing else: in words, and
in the database itself."""

import threading
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from citizen_cloud.accounts.models import Account
from citizen_cloud.db import new_id
from citizen_cloud.organisations import services
from citizen_cloud.organisations.models import Membership
from citizen_cloud.organisations.refusals import RolesExclude
from citizen_cloud.organisations.services import Actor

SYSTEM = Actor("system", None)


def an_account(session, kind):
    account = Account(id=new_id(), kind=kind, username=f"u{uuid4().hex[:12]}")
    session.add(account)
    session.flush()
    return account.id


@pytest.fixture
def place_id(session):
    import people

    return people.pharmacy(session=session)


def give(session, account_id, role, place_id):
    where = None if role in ("admin", "auditor") else place_id
    return services.add_member(
        session, organisation_id=where, account_id=account_id, role=role, actor=SYSTEM
    )


KINDS = [
    ("admin", "staff"),
    ("admin", "manager"),
    ("admin", "auditor"),
    ("staff", "admin"),
    ("citizen", "staff"),
    ("citizen", "admin"),
    ("service", "manager"),
]


@pytest.mark.parametrize(("kind", "role"), KINDS)
def test_an_account_of_one_kind_holds_no_role_of_another(session, place_id, kind, role):
    with pytest.raises(RolesExclude):
        give(session, an_account(session, kind), role, place_id)


@pytest.mark.parametrize(("kind", "role"), KINDS)
def test_the_database_refuses_it_too(session, place_id, kind, role):
    where = None if role in ("admin", "auditor") else place_id
    account_id = an_account(session, kind)
    with pytest.raises(IntegrityError, match="fk_membership_account_kind"), session.begin_nested():
        session.add(Membership(account_id=account_id, organisation_id=where, role=role))


def test_an_account_does_not_change_its_kind_under_a_role(session, place_id):
    account_id = an_account(session, "staff")
    give(session, account_id, "staff", place_id)
    with pytest.raises(IntegrityError, match="fk_membership"), session.begin_nested():
        session.execute(
            text("UPDATE accounts.account SET kind = 'admin' WHERE id = :id"), {"id": account_id}
        )


def test_an_ended_role_of_another_kind_stays_as_history(session, place_id):
    account_id = an_account(session, "admin")
    now = text("statement_timestamp()")
    session.add(
        Membership(account_id=account_id, organisation_id=place_id, role="staff", ended_at=now)
    )
    session.flush()
    with pytest.raises(IntegrityError, match="fk_membership"), session.begin_nested():
        session.execute(text("UPDATE organisations.membership SET ended_at = NULL"))


@pytest.mark.parametrize(("held", "wanted"), [("staff", "auditor"), ("auditor", "manager")])
def test_an_auditor_holds_no_other_role(session, place_id, held, wanted):
    account_id = an_account(session, "staff")
    held_id = give(session, account_id, held, place_id)
    with pytest.raises(RolesExclude):
        give(session, account_id, wanted, place_id)
    where = None if wanted == "auditor" else place_id
    with pytest.raises(IntegrityError, match="auditor holds no other"), session.begin_nested():
        session.add(Membership(account_id=account_id, organisation_id=where, role=wanted))
    services.end_membership(session, membership_id=held_id, actor=SYSTEM)
    assert give(session, account_id, wanted, place_id)
    # Nor does the ended role come back to life beside it.
    with pytest.raises(IntegrityError, match="auditor holds no other"), session.begin_nested():
        session.execute(
            text("UPDATE organisations.membership SET ended_at = NULL WHERE id = :id"),
            {"id": held_id},
        )


def test_a_member_may_serve_at_several_places(session, place_id):
    import people

    account_id = an_account(session, "staff")
    give(session, account_id, "staff", place_id)
    give(session, account_id, "manager", place_id)
    assert give(session, account_id, "staff", people.pharmacy(session=session))


def test_both_at_once_leave_one_even_without_the_services_own_check(fresh_database):
    """The trigger locks the account, so that each sees what the other did."""
    import people

    place_id = people.pharmacy()
    database = fresh_database.database
    with database.transaction() as session:
        account_id = an_account(session, "staff")
    barrier, refused = threading.Barrier(2), []

    def grant(role):
        where = None if role == "auditor" else place_id
        try:
            with database.transaction() as session:
                session.execute(text("SELECT 1"))
                barrier.wait()
                session.add(Membership(account_id=account_id, organisation_id=where, role=role))
        except IntegrityError as error:
            refused.append(error)

    threads = [threading.Thread(target=grant, args=(role,)) for role in ("staff", "auditor")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
