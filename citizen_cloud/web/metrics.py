"""Prometheus counters and timings by route template; never by raw path, account or person."""

import os
from collections.abc import Iterable, Mapping

from flask import Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import GaugeMetricFamily

REQUESTS = Counter(
    "citizen_cloud_requests_total", "Requests answered", ("method", "route", "status")
)
SECONDS = Histogram(
    "citizen_cloud_request_seconds",
    "Time to answer",
    ("route",),
    buckets=(0.005, 0.02, 0.05, 0.1, 0.3, 1, 3, 10),
)


class Meter:
    """Counts and times answers; the children of a label set are looked up once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str | None, str, str], tuple[Counter, Histogram]] = {}

    def count(self, rule: str | None, method: str, status: str, seconds: float) -> None:
        """Count one answer; ``status`` is the status line, ``rule`` None where none matched."""
        if rule is None:
            # Whatever names a caller makes up are one.
            method = "any"
        pair = self._known.get((rule, method, status))
        if pair is None:
            route = rule or "none"
            pair = REQUESTS.labels(method, route, status[:3]), SECONDS.labels(route)
            self._known[rule, method, status] = pair
        counter, timer = pair
        counter.inc()
        timer.observe(seconds)


class Gauges:
    """One measurement of many things, as it was when asked; no process remembers it."""

    def __init__(self, name: str, about: str, *, label: str, values: Mapping[str, float]) -> None:
        self._family = GaugeMetricFamily(name, about, labels=[label])
        for value_of, value in values.items():
            self._family.add_metric([value_of], value)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return it as the registry asks for it."""
        return (self._family,)


def exposition(*gauges: Gauges) -> Response:
    """Return the metrics of all workers, and what was measured just now, for Prometheus."""
    registry = None
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    body = generate_latest(registry) if registry else generate_latest()
    for gauge in gauges:
        body += generate_latest(gauge)
    return Response(body, content_type=CONTENT_TYPE_LATEST)
