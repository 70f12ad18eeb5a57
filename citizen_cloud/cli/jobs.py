"""``citizen-cloud jobs``: the worker beside the web processes."""

import os
import signal
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import click
from sqlalchemy.orm import Session

from citizen_cloud import clock, db
from citizen_cloud.app import configure, contributions
from citizen_cloud.approvals import kinds
from citizen_cloud.cli.environment import settings as settings_of_run
from citizen_cloud.jobs.dispatch import LOOPS, dispatch
from citizen_cloud.jobs.rules import Lane
from citizen_cloud.jobs.worker import PULSE, Worker
from citizen_cloud.manifest import Alone, Contribution, Event, Handler, Job, ServiceModule, Together
from citizen_cloud.messages import senders
from citizen_cloud.privacy import owners
from citizen_cloud.registry import purging
from citizen_cloud.registry.discovery import discover

# Three loops of the dispatcher, texts, the seal, and what the clock starts.
WORKER_POOL = 8


@click.group()
def command() -> None:
    """Run background work."""


@command.command()
def work() -> None:
    """Deliver messages, seal the audit chain, run scheduled jobs, until stopped."""
    settings = settings_of_run()
    configure(settings)
    db.install(db.PooledDatabase(settings.database_url, pool_size=WORKER_POOL))
    senders.install(senders.from_settings(settings))
    found = discover()
    owners.install(
        owners.owners_of(contributions(), found.modules.values(), absent=found.quarantined)
    )
    kinds.install(kinds.kinds_of(contributions(), found.modules.values()))
    # procrastinate ends its loop on SIGINT and SIGTERM; a closed terminal means the same.
    signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    Worker(settings.database_url, all_jobs(), clock=clock.now).run()


def all_jobs() -> tuple[Job, ...]:
    """Return every job of rooms and modules, and the loops that hand over their events."""
    owners: tuple[Contribution | ServiceModule, ...] = (
        *contributions(),
        *discover().modules.values(),
    )
    handlers = handlers_of(owners)

    def serving(lanes: Sequence[Lane]) -> Callable[[datetime], int]:
        return lambda _: dispatch(handlers, lanes)

    own = (Job(name=name, cron=PULSE, run=serving(lanes)) for name, lanes in LOOPS.items())
    return (*own, *(_while_it_lives(owner, job) for owner in owners for job in owner.jobs))


def _while_it_lives(owner: Contribution | ServiceModule, job: Job) -> Job:
    """Return a module's job so that it rests once the module's purge is ordered."""
    if isinstance(owner, Contribution):
        return job

    def run(now: datetime) -> object:
        with db.transaction() as session:
            is_ended = purging.is_ended(session, owner.name)
        return 0 if is_ended else job.run(now)

    return replace(job, run=run)


def _unless_ended(owner: Contribution | ServiceModule, handler: Handler) -> Handler:
    """Return a module's handler so that it writes nothing once the purge is ordered."""
    if isinstance(owner, Contribution):
        return handler

    def handle(session: Session, event: Event, now: datetime) -> None:
        if not purging.is_ended(session, owner.name):
            handler(session, event, now)

    def handle_all(session: Session, events: Sequence[Event], now: datetime) -> None:
        if isinstance(handler, Together) and not purging.is_ended(session, owner.name):
            handler.handle_all(session, events, now)

    if isinstance(handler, Together):
        return Together(handle_all)
    return Alone(handle) if isinstance(handler, Alone) else handle


def handlers_of(
    owners: Iterable[Contribution | ServiceModule],
) -> Mapping[str, Sequence[Handler]]:
    """Return the handlers of each event, in the order of their owners."""
    found: dict[str, list[Handler]] = {}
    for owner in owners:
        for event, handler in owner.handlers.items():
            found.setdefault(event, []).append(_unless_ended(owner, handler))
    return found
