"""The module's part of the host's pages: its tile, and what it holds about people."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from citizen_cloud.manifest import PersonalData, Subject, Tile
from citizen_cloud.modules.health_code.services.holdings import codes as held_codes
from citizen_cloud.modules.health_code.services.holdings import power as held_power
from citizen_cloud.modules.health_code.services.holdings import scans as held_scans
from citizen_cloud.modules.health_code.services.holdings import unplaced as held_unplaced
from citizen_cloud.modules.health_code.services.holdings import visits as held_visits
from citizen_cloud.modules.health_code.services.holdings.colours import colours
from citizen_cloud.modules.health_code.services.holdings.holding import Holding
from citizen_cloud.text import Text

tile = Tile(icon="health", path="/health-code")

# One for each part of the module that holds something about people.
HOLDINGS: tuple[Holding, ...] = (
    colours,
    held_codes.HOLDING,
    held_power.HOLDING,
    held_scans.HOLDING,
    held_unplaced.HOLDING,
    held_visits.visits,
)


def export(session: Session, subject: Subject) -> dict[str, Any]:
    """Return what every part holds about somebody."""
    return {part.name: part.export(session, subject) for part in HOLDINGS}


def erase(session: Session, subject: Subject, now: datetime) -> int:
    """Let every part forget somebody; return how many rows that were."""
    return sum(part.erase(session, subject, now) for part in HOLDINGS)


personal_data = PersonalData(
    categories=tuple(part.category for part in HOLDINGS)
    or (Text("健康码记录", "Health code records"),),
    purpose=Text("按规则计算并出示健康码", "To compute the health code by rule and show it"),
    legal_basis=Text(
        "《突发公共卫生事件应急条例》:疫情防控所必需",
        "Regulation on public health emergencies: needed to control an epidemic",
    ),
    retention_days=180,
    tables=frozenset().union(*(part.tables for part in HOLDINGS)),
    kept=tuple(text for part in HOLDINGS for text in part.kept),
    export=export,
    erase=erase,
)
