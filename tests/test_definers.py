"""Functions that run with their owner's rights: for whom, and by which names."""

from sqlalchemy import text

FOUND = text(
    """
    SELECT p.oid::regprocedure::text AS name, p.proconfig,
           has_function_privilege('public', p.oid, 'EXECUTE') AS by_everybody,
           p.prorettype = 'trigger'::regtype AS is_trigger
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    """
)


def test_whoever_borrows_the_owners_rights_brings_no_names_along(session):
    found = session.execute(FOUND).all()
    assert "approvals.appoint_agreed(uuid)" in {one.name for one in found}
    loose = [
        one.name
        for one in found
        if one.proconfig is None or "search_path=pg_catalog, pg_temp" not in one.proconfig
    ]
    assert loose == []


def test_nobody_but_those_it_was_given_to_borrows_them(session):
    found = session.execute(FOUND).all()
    assert [one.name for one in found if one.by_everybody and not one.is_trigger] == []


def test_the_rules_of_two_approvers_read_no_borrowed_names_either(session):
    names = ("hold_the_rule", "hold_decisions", "hold_appointments", "agreed", "are_one")
    paths = session.execute(
        text(
            "SELECT proname, proconfig FROM pg_proc "
            "WHERE pronamespace = 'approvals'::regnamespace AND proname = ANY(:names)"
        ),
        {"names": list(names)},
    ).all()
    assert {one.proname for one in paths} == set(names)
    assert all(one.proconfig == ["search_path=pg_catalog, pg_temp"] for one in paths)


def test_the_application_makes_no_names_of_its_own(session):
    """Else an operator or function of its own would stand before those of the rules."""
    may = text(
        "SELECT n.nspname FROM pg_namespace n WHERE n.nspname !~ '^pg_temp' "
        "AND has_schema_privilege('citizen_cloud_app', n.oid, 'CREATE')"
    )
    assert session.scalars(may).all() == []
    creates = "SELECT has_database_privilege('citizen_cloud_app', current_database(), 'CREATE')"
    assert session.scalar(text(creates)) is False


def test_the_application_empties_no_table_of_the_power(session):
    truncates = text(
        "SELECT t FROM unnest(ARRAY['approvals.approver', 'approvals.decision', "
        "'approvals.proposal', 'accounts.binding', 'accounts.reset', 'audit.entry']) AS t "
        "WHERE has_table_privilege('citizen_cloud_app', t, 'TRUNCATE')"
    )
    assert session.scalars(truncates).all() == []
