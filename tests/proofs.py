"""A pytest plugin for the long proofs: says how far it is, and keeps what was found.

``scripts/prove`` runs them with ``PROVE=1`` and this plugin. A test tells what it tried by ``record_property("trials", n)`` and what it saw by ``record_property("facts", "…")``.
A proof without a failure bounds the rate of failures: 0 in n means at most 3/n, with 95 %
confidence (the rule of three). Results are appended to ``docs/proofs.md``.
"""

import os
import platform
import time
from datetime import UTC, datetime
from pathlib import Path

# What the kernel's own proofs try with ``PROVE=1``: histories, rounds or calls.
TRIALS = {
    "random_histories_never_leave_the_model": 600,
    "of_a_thousand_callers_for_fifty_places_exactly_fifty_get_one": 1_000,
    "a_person_who_asks_a_hundred_times_gets_one_place_in_a_slot": 100,
    "a_person_who_asks_in_a_hundred_places_gets_one_quota": 100,
    "one_key_sent_many_times_at_once_is_one_booking": 50,
    "one_key_for_many_slots_at_once_books_one_and_refuses_the_rest": 20,
    "four_cancellations_at_once_free_once": 40,
    "two_clerks_at_once_hand_out_once": 40,
    "a_cancellation_and_a_check_in_at_once_never_both_happen": 40,
    "the_sweeper_and_a_confirmation_at_the_last_instant_agree": 40,
    "a_shrinking_slot_and_its_callers_never_oversell": 40,
    "a_mixed_crowd_leaves_nothing_that_does_not_add_up": 3_000,
}
HEAD = "| proof | trials | seconds | outcome | bounds | seen |\n|---|---|---|---|---|---|\n"


def bound(trials, failures):
    """Return what a count without failures says about the rate of failures."""
    if failures or trials < 10:
        return "–"
    share = 3 / trials
    return f"≤ {share:.2g} ({share:.2%})" if share >= 0.0001 else f"≤ {share:.1g}"


def sentence(nodeid):
    """Return a test's name as the sentence it is."""
    return name_of(nodeid).replace("_", " ")


def name_of(nodeid):
    return nodeid.split("::", 1)[-1].removeprefix("test_")


class Proofs:
    """Collects the reports of one run."""

    def __init__(self, out, seed, tell):
        self.out = out
        self.seed = seed
        self.tell = tell
        self.total = 0
        self.rows = {}
        self.began = time.monotonic()

    def pytest_collection_finish(self, session):
        self.total = len(session.items)

    def pytest_runtest_logstart(self, nodeid):
        passed = time.monotonic() - self.began
        self.tell(f"[{passed:6.0f} s] {len(self.rows) + 1}/{self.total} {sentence(nodeid)}")

    def pytest_runtest_logreport(self, report):
        row = self.rows.setdefault(report.nodeid, {"seconds": 0.0, "outcome": "passed"})
        row["seconds"] += report.duration
        row.update({name: value for name, value in report.user_properties if name != "seconds"})
        if report.outcome != "passed":
            row["outcome"] = report.outcome

    def pytest_sessionfinish(self):
        if not self.rows:
            return
        text = self.text()
        self.tell(text)
        if self.out:
            with Path(self.out).open("a", encoding="utf-8") as file:
                file.write(text)

    def text(self):
        """Return the run as a section of the protocol."""
        when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        passed = sum(row["outcome"] == "passed" for row in self.rows.values())
        took = time.monotonic() - self.began
        machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
        title = f"\n## {when}: {passed} of {len(self.rows)} proofs hold\n\n"
        head = f"{title}Seed {self.seed}; {machine}; {took:.0f} s.\n\n{HEAD}"
        return head + "".join(line(nodeid, row) for nodeid, row in self.rows.items())


def line(nodeid, row):
    """Return a proof as a line of the table."""
    trials = int(row.get("trials", TRIALS.get(name_of(nodeid), 1)))
    facts = str(row.get("facts", "")).replace("|", "/")
    limit = bound(trials, row["outcome"] != "passed")
    return (
        f"| {sentence(nodeid)} | {trials:,} | {row['seconds']:.1f} | {row['outcome']} "
        f"| {limit} | {facts} |\n"
    )


def pytest_addoption(parser):
    parser.addoption("--protocol", default="", help="the file proofs are appended to")


def pytest_configure(config):
    seed = os.environ.get("PROVE_SEED", "1")

    def tell(text):
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        reporter.ensure_newline()
        reporter.write_line(text)

    config.pluginmanager.register(Proofs(config.getoption("--protocol"), seed, tell), "proofs-run")
