"""What only a clerk has in the masks module: a stock file he applied."""

from sqlalchemy import text

from citizen_cloud import db

STAFFS = {"masks.stock_import"}


def build(me):
    with db.transaction() as session:
        session.execute(
            text(
                "INSERT INTO masks.stock_import (organisation_id, target, content_hash, report, "
                "applied_by) VALUES (:o, 'test', 'x', '{}', :a)"
            ),
            {"o": me.outlet, "a": me.clerk.account_id},
        )
