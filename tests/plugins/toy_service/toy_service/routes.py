"""Lend toys."""

from typing import Any

from flask.views import MethodView
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.fields import ListOf, Part, Str
from citizen_cloud.web.marks import new_business, public
from citizen_cloud.web.schemas import Incoming, Outgoing

blp = Blueprint("toys", url_prefix="/toys", description="Toys to lend")


class ToySchema(Outgoing):
    """A toy."""

    name = Str(max_length=40, metadata={"example": "皮球"})


class ToysSchema(Outgoing):
    """All toys."""

    items = ListOf(Part(ToySchema), max_length=1000)


class NewToySchema(Incoming):
    """A toy to add."""

    name = Str(max_length=40, required=True, metadata={"example": "皮球"})


@blp.route("/shelf")
class Shelf(MethodView):
    """The shelf."""

    @blp.response(200, ToysSchema)
    @blp.operation("listToys")
    @public
    def get(self) -> dict[str, Any]:
        """List the toys

        Everybody may look.
        """
        with db.statement() as connection:
            rows = connection.execute(text("SELECT name FROM toys.toy ORDER BY id LIMIT 1000"))
            return {"items": [{"name": row.name} for row in rows]}

    @blp.arguments(NewToySchema)
    @blp.response(201, ToySchema)
    @blp.operation("addToy")
    @new_business
    @public
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Add a toy

        Refused while the service is draining.
        """
        with db.transaction() as session:
            session.execute(text("INSERT INTO toys.toy (name) VALUES (:name)"), body)
        return body
