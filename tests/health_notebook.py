"""Profile (a) told again in the plainest way: one day after the other, by counting.

It shares no code with the rules: no spans, no sets, no fold. What it says of an evening is what a
clerk with a notebook would say.
"""

from dataclasses import dataclass, field

NEEDS = {
    "positive_test": ("red", 14),
    "close_contact": ("red", 14),
    "exposure": ("yellow", 7),
    "contact": ("yellow", 7),
    "symptoms": ("yellow", 7),
    "risk_trip": ("yellow", 7),
}


def cause_of(kind, payload):
    """Return what a reported fact or a trip is a cause of, if of anything."""
    if kind == "exposure":
        return "close_contact" if payload["class"] == "close" else "exposure"
    if kind == "test_result":
        return "positive_test" if payload["result"] == "positive" else None
    return "risk_trip" if payload["to_area"].startswith("4201") else None


@dataclass
class Page:
    """One cause on somebody's page: since when, the run of good days since, and the best one."""

    since: int
    run: int
    best: int
    event: object


@dataclass
class Notebook:
    """Everything a clerk keeps about one person."""

    declared: bool = False
    run: int = 0
    checked: bool = False
    ill: bool = False
    causes: dict = field(default_factory=dict)
    given: dict = field(default_factory=dict)

    def note(self, today, fact, event):
        """Write down what is said today; facts may tell of up to two days ago."""
        kind, payload, day = fact
        if kind == "declared":
            self._declared(payload, day, today, event)
        elif kind == "assigned":
            self.given[event] = (payload["colour"], day + payload["days"])
        elif kind == "withdrawn":
            self.given.pop(payload["of"], None)
        elif (cause := cause_of(kind, payload)) is not None:
            self._begin(cause, day, today, event)

    def _declared(self, payload, day, today, event):
        self.declared = True
        is_ill = bool(payload["symptoms"]) or payload.get("temperature_c", 0) >= 37.3
        self.ill |= is_ill
        self.checked |= not is_ill
        if is_ill:
            self._begin("symptoms", day, today, event)
        if payload["contact_with_case"]:
            self._begin("contact", day, today, event)

    def _begin(self, cause, day, today, event):
        page = self.causes.get(cause)
        if page is not None and page.since > day:
            return
        # Good days between the fact and its telling count already.
        run = min(self.run, max(today - 1 - day, 0))
        self.causes[cause] = Page(day, run, run, event)

    def close_day(self, today):
        """Count the day, after everything was said."""
        good = self.checked and not self.ill
        self.run = self.run + 1 if good else 0
        for page in self.causes.values():
            if page.since < today:
                page.run = page.run + 1 if good else 0
                page.best = max(page.best, page.run)
        self.checked = self.ill = False

    def colour(self, today, shorter=0):
        """Return the colour of the evening, before the day is counted."""
        shown = [colour for colour, until in self.given.values() if today < until]
        for cause, page in self.causes.items():
            colour, days = NEEDS[cause]
            if page.best < days - (shorter if colour == "yellow" else 0):
                shown.append(colour)
        for colour in ("red", "yellow"):
            if colour in shown:
                return colour
        return "green" if self.declared else "none"
