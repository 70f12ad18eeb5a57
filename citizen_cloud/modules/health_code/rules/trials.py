"""What a trial of rules must have shown before they may count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from citizen_cloud.errors import Conflict
from citizen_cloud.modules.health_code.rules.versions import COLOURS
from citizen_cloud.text import Text

FRESH = timedelta(hours=24)
# People who came since the trial: so few may be without a forecast.
NEWCOMERS, NEWCOMERS_PER_MILLE = 10, 10
# From so many people on that it would make worse, a third authority is asked.
WORSE_PER_MILLE = 10
MILLION = 1_000_000
_RANK: dict[str, int] = {colour: rank for rank, colour in enumerate(COLOURS)}


class TrialMissing(Conflict):
    """The version was not tried on everybody who is there now, or too long ago."""

    code = "shadow_run_missing"
    title = Text("尚未试运行", "No shadow run")
    detail = Text(
        "规则生效前须对全体人员试运行，且结果不超过24小时。",
        "Before rules count they are tried on everybody, within the last 24 hours.",
    )


class TooManyFlips(Conflict):
    """More colours would change unexpectedly than is allowed."""

    code = "shadow_run_blocks"
    title = Text("意外变色过多", "Too many unexpected changes")
    detail = Text(
        "试运行中有{unexpected}人意外变色，超过上限{most}人。",
        "In the shadow run {unexpected} people change colour unexpectedly; at most {most} may.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A finished run, as far as it decides."""

    against: int
    at: datetime
    looked_at: int
    unexpected: int
    flips: Mapping[str, int]


def check_trial(
    trial: Trial | None, *, live: int, people: int, most_ppm: int, now: datetime
) -> Trial:
    """Return the trial of rules that may count. Raises ``TrialMissing`` or ``TooManyFlips``."""
    if trial is None or trial.against != live or now - trial.at > FRESH:
        raise TrialMissing
    newcomers = people - trial.looked_at
    if newcomers > max(NEWCOMERS, people * NEWCOMERS_PER_MILLE // 1000):
        raise TrialMissing
    most = trial.looked_at * most_ppm // MILLION
    if trial.unexpected > most:
        raise TooManyFlips(unexpected=trial.unexpected, most=most)
    return trial


def approvals_for(trial: Trial) -> int:
    """Return how many authorities must agree: three where it is worse for many."""
    worse = sum(count for flip, count in trial.flips.items() if _is_worse(flip))
    return 3 if worse * 1000 > trial.looked_at * WORSE_PER_MILLE else 2


def _is_worse(flip: str) -> bool:
    before, _, after = flip.partition(">")
    if after == "none":
        # Without a colour no door opens either.
        return before == "green"
    return after in ("yellow", "red") and _RANK[after] > _RANK[before]


def is_expected(before: str, after: str, expected: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether the author of a version meant this change."""
    return any(one["from"] == before and one["to"] == after for one in expected)
