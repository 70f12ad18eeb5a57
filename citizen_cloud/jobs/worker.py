"""The worker: prompt work on a beat, scheduled work through the queue's cron.

``@pulse`` jobs (dispatch, sealing, texts) run twice a second, each in a thread of its own, so
that a slow SMS gateway never holds up the audit seal. All others are procrastinate's periodic
tasks: with several workers each run still happens once.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable

import procrastinate
import structlog
from sqlalchemy.engine import make_url

from citizen_cloud.clock import Clock
from citizen_cloud.db import options
from citizen_cloud.manifest import Job

PULSE = "@pulse"
BEAT_S = 0.5
CONCURRENCY = 2
# A run that found work is followed at once, but not for ever without a look at the stop sign.
MOST_IN_A_ROW = 1_000

log = structlog.get_logger(__name__)


class Worker:
    """Runs jobs until stopped; a job that raises is logged and tried again at its next turn."""

    def __init__(
        self, database_url: str, jobs: Iterable[Job], *, clock: Clock, beat_s: float = BEAT_S
    ) -> None:
        self._url = database_url
        self._jobs = tuple(jobs)
        self._clock = clock
        self._beat_s = beat_s
        self._stopping = threading.Event()

    def run(self) -> None:
        """Work until SIGINT or SIGTERM; running jobs are finished first."""
        threads = [
            threading.Thread(target=self._pulse, args=(job,), name=job.name, daemon=True)
            for job in self._jobs
            if job.cron == PULSE
        ]
        for thread in threads:
            thread.start()
        try:
            asyncio.run(self._queue())
        finally:
            self._stopping.set()
            for thread in threads:
                thread.join(timeout=10)

    def run_once(self, job: Job) -> int:
        """Run one job; return how much it did, 0 when it failed."""
        try:
            done = job.run(self._clock())
        except Exception as error:  # noqa: BLE001 - one job's fault is not the worker's end
            log.warning("job_failed", job=job.name, error=type(error).__name__)
            return 0
        return done if isinstance(done, int) else 0

    def _pulse(self, job: Job) -> None:
        while not self._stopping.is_set():
            for _ in range(MOST_IN_A_ROW):
                if self._stopping.is_set() or not self.run_once(job):
                    break
            self._stopping.wait(self._beat_s)

    async def _queue(self) -> None:
        queue = self._application()
        async with queue.open_async():
            await queue.run_worker_async(
                concurrency=CONCURRENCY, delete_jobs="always", shutdown_graceful_timeout=10
            )

    def _application(self) -> procrastinate.App:
        dsn = make_url(self._url).set(drivername="postgresql")
        kwargs = {"options": options("citizen_cloud_app") + " -c search_path=procrastinate"}
        connector = procrastinate.PsycopgConnector(
            conninfo=dsn.render_as_string(hide_password=False), kwargs=kwargs, min_size=1
        )
        queue = procrastinate.App(connector=connector)
        for job in self._jobs:
            if job.cron != PULSE:
                queue.periodic(cron=job.cron)(queue.task(name=job.name)(self._task(job)))
        return queue

    def _task(self, job: Job) -> Callable[[int], None]:
        def run(timestamp: int) -> None:
            del timestamp
            self.run_once(job)

        return run
