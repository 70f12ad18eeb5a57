"""Colours that turn by time, people who follow a new rule version, and the news of both."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from citizen_cloud import db
from citizen_cloud.manifest import Handler, Job, Together
from citizen_cloud.modules.health_code.jobs.portions import in_portions
from citizen_cloud.modules.health_code.services.colours.forgetting import forget_flips, forget_some
from citizen_cloud.modules.health_code.services.colours.news import tell_colours
from citizen_cloud.modules.health_code.services.colours.refolding import (
    MOST,
    follow_version,
    turn_due,
)
from citizen_cloud.modules.health_code.services.colours.standings import COLOUR_CHANGED


def turn_colours(now: datetime) -> int:
    """Turn every colour whose time has come; the database's clock says which."""
    del now
    return in_portions(turn_due, most=MOST)


def follow_rules(now: datetime) -> int:
    """Bring everybody to the rules in force; stopped anywhere, the next run goes on."""
    del now
    return in_portions(follow_version, most=MOST)


def forget_old(now: datetime) -> int:
    """Forget events no colour rests on after 180 days, and who was in a trial after 30."""
    del now
    with db.transaction() as session:
        done = forget_flips(session)
    after = None
    while True:
        with db.transaction() as session:
            found = forget_some(session, after=after)
        done += found.events
        after = found.last
        if after is None:
            return done


HANDLERS: Mapping[str, Handler] = MappingProxyType({COLOUR_CHANGED: Together(tell_colours)})
JOBS = (
    # The first minute of a day has nearly all the work; the others find an empty index range.
    Job(name="health_code.turn_colours", cron="* * * * *", run=turn_colours),
    Job(name="health_code.follow_rules", cron="* * * * *", run=follow_rules),
    Job(name="health_code.forget_old", cron="40 3 * * *", run=forget_old),
)
