"""Prometheus counters and timings by route template; never by raw path, account or person."""

import os
import time
from collections.abc import Iterable, Mapping

from flask import Flask, Response, g, request
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


def install(app: Flask) -> None:
    """Measure every request."""
    known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        rule = request.url_rule
        key = (rule.rule, request.method) if rule else ("none", "any")
        pair = known.get((*key, response.status_code))
        if pair is None:
            route, method = key
            status = response.status_code
            pair = REQUESTS.labels(method, route, status), SECONDS.labels(route)
            known[route, method, status] = pair
        counter, timer = pair
        counter.inc()
        timer.observe(time.perf_counter() - g.get("began", time.perf_counter()))
        return response


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
