"""Pure rules of the counter: what may be asked, how long it waits, what a wish holds."""

import json
from dataclasses import asdict, dataclass
from datetime import timedelta

RECOVERY = "recovery"
NAME_CORRECTION = "name_correction"
ENROLMENT = "enrolment"
KINDS = (RECOVERY, NAME_CORRECTION, ENROLMENT)
STATUSES = ("open", "approved", "refused", "cancelled", "expired")
# At a counter the person waits. A citizen's own wish may fall on a week of holidays.
LIVES = {"staff": timedelta(hours=24), "citizen": timedelta(days=7)}
# Long enough for a complaint; then a phone, a name and the evidence serve nothing any more.
KEEP_CONTENTS = timedelta(days=90)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a case wishes for; only its own kind's members are set."""

    # recovery: the new phone, proven by a code
    phone: str | None = None
    # name_correction: as it shall be, and as it was before the approval
    new_name: str | None = None
    old_name: str | None = None
    # enrolment: the document that was compared by this verifier
    document_type: str | None = None
    document_number: str | None = None
    name: str | None = None
    verified_by: str | None = None

    def written(self) -> str:
        """Return the form that is sealed."""
        return json.dumps({k: v for k, v in asdict(self).items() if v}, ensure_ascii=False)


def asked_of(written: str) -> Asked:
    """Read the form that was sealed."""
    return Asked(**json.loads(written))


def asked_place(case_id: object) -> str:
    """Return what binds a sealed wish to its case."""
    return f"counter.case:asked:{case_id}"


def evidence_place(case_id: object) -> str:
    """Return what binds a sealed reference to its case."""
    return f"counter.case:evidence:{case_id}"


def reason_place(case_id: object) -> str:
    """Return what binds a sealed reason to its case."""
    return f"counter.case:reason:{case_id}"
