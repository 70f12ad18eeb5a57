"""A place for any test, made through the service and not through HTTP."""

from people import _in

from citizen_cloud.modules.health_code.services.places import NewPlace, create_place
from citizen_cloud.organisations.services import Actor
from citizen_cloud.text import Text


def place(organisation_id, *, name="青泥洼桥地铁站A口", area_code="210202", session=None, **rules):
    """Return the id of an open place of an organisation."""
    new = NewPlace(
        organisation_id=organisation_id,
        name=Text(name, "A station's exit"),
        area_code=area_code,
        **rules,
    )
    with _in(session) as opened:
        return create_place(opened, new=new, actor=Actor("system", None)).id
