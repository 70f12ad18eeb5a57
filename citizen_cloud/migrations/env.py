"""Alembic's entry: runs the branches on the connection that ``citizen_cloud.migrations`` opened."""

from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec

from alembic import context

from citizen_cloud.db import Base
from citizen_cloud.registry.discovery import GROUP
from citizen_cloud.rooms import TABLES as ROOMS

for room in ROOMS:
    import_module(f"citizen_cloud.{room}.models")
for point in entry_points(group=GROUP):
    models = f"{point.module.rpartition('.')[0]}.models"
    if point.name in context.config.attributes["modules"] and find_spec(models):
        import_module(models)

schemas = frozenset(context.config.attributes["schemas"])


def include_name(name: str | None, type_: str, _parents: object) -> bool:
    """Look at the rooms' schemas only; the queue keeps its own tables."""
    return name in schemas if type_ == "schema" else True


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_schemas=True,
    include_name=include_name,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
