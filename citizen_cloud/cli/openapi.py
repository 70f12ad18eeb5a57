"""``citizen-cloud openapi``: write the OpenAPI documents that are committed."""

import json
from pathlib import Path
from typing import Any, cast

import click
from flask import Flask

from citizen_cloud.app import create_app
from citizen_cloud.config import Settings
from citizen_cloud.crypto import draw_key
from citizen_cloud.portal.doors import document
from citizen_cloud.portal.state import HOST

WHOLE = "citizen-cloud"
SCHEMAS = "#/components/schemas/"
# Nothing is connected to and nothing is signed: the document comes from the code alone.
NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


@click.group()
def command() -> None:
    """Look after the API's description."""


@command.command()
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("openapi"),
    show_default=True,
    help="Where the documents go.",
)
def export(folder: Path) -> None:
    """Write citizen-cloud.json, and one document for each installed module."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in documents(create_app(_unconnected())).items():
        path = folder / f"{name}.json"
        path.write_text(written(content), encoding="utf-8")
        click.echo(path)


def documents(app: Flask) -> dict[str, dict[str, Any]]:
    """Return the whole document, and one for each module with what belongs to it alone."""
    whole = cast("dict[str, Any]", document(app))
    found = {WHOLE: whole}
    for module in app.extensions[HOST].modules.values():
        tags = {blueprint.name for blueprint in module.blueprints}
        found[module.name] = _part(whole, tags, title=f"Citizen Cloud · {module.title.en}")
    return found


def written(content: dict[str, Any]) -> str:
    """Return a document as text, the same for the same content."""
    return json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _part(whole: dict[str, Any], tags: set[str], *, title: str) -> dict[str, Any]:
    """Return the operations under some tags, with the schemas they reach and no others."""
    paths = {path: item for path, item in whole["paths"].items() if _tags_of(item) & tags}
    components = whole["components"]
    names = _reached(paths, components["schemas"])
    return {
        **whole,
        "info": {**whole["info"], "title": title},
        "paths": paths,
        "tags": [tag for tag in whole["tags"] if tag["name"] in tags],
        "components": {
            **components,
            "schemas": {name: components["schemas"][name] for name in sorted(names)},
        },
    }


def _tags_of(item: dict[str, Any]) -> set[str]:
    return {
        tag
        for operation in item.values()
        if isinstance(operation, dict)
        for tag in operation.get("tags", ())
    }


def _reached(content: Any, schemas: dict[str, Any]) -> set[str]:
    names: set[str] = set()
    waiting = [content]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            name = str(part.get("$ref", "")).removeprefix(SCHEMAS)
            if name in schemas and name not in names:
                names.add(name)
                waiting.append(schemas[name])
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
    return names


def _unconnected() -> Settings:
    return Settings(
        environment="embedded",
        database_url=NOWHERE,
        database_owner_url=NOWHERE,
        redis_url=None,
        token_keys=draw_key(),
        field_keys=draw_key(),
        lookup_keys=draw_key(),
        quota_key=draw_key(),
        credential_keys=draw_key(),
        trust_keys=draw_key(),
    )
