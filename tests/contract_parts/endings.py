"""What the end of a service needs: one that is gone, with its certificate."""

from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.credentials import statements


def build(city):
    signed = statements.sign({"module": "gone_service"}, type="destruction-certificate", revoked=())
    with db.transaction() as session:
        session.execute(
            text("INSERT INTO registry.module (name, state) VALUES ('gone_service', 'sunset')")
        )
        session.execute(
            text(
                "INSERT INTO registry.purge (module, approval_id, state, finished_at, certificate) "
                "VALUES ('gone_service', uuidv7(), 'done', now(), :signed)"
            ),
            {"signed": signed},
        )
    city.ids["ended_module"] = "gone_service"
