"""What the toy service is."""

from pathlib import Path

from citizen_cloud.manifest import ServiceModule, Tile
from citizen_cloud.text import Text
from toy_service import models
from toy_service.routes import blp

module = ServiceModule(
    name="toys",
    title=Text("玩具借用", "Toy library"),
    version="1.0",
    blueprints=(blp,),
    tile=Tile(icon="ball", path="/toys"),
    migrations=str(Path(models.__file__).parent / "migrations"),
)
