"""How many shown codes one core checks a second with nothing but a snapshot."""

import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from citizen_cloud.credentials import keys, proofs
from citizen_cloud.credentials.services import issue_held, snapshots
from citizen_cloud.credentials.verifier import Gate, OfflineVerifier, Snapshot
from citizen_cloud.credentials.verifier.outcomes import Outcome

CODES = 2_000


def measure(session, carriers):
    """Return codes checked per second of one core, and the milliseconds of the slowest one."""
    place_id = uuid4()
    issued = [(one.phone, _issued(session, one)) for one in carriers[:CODES]]
    snapshot = Snapshot.read(snapshots.publish(session).text, keys.roots())
    # Now only: issuing them all may take longer than a clock may be wrong.
    now = datetime.now(UTC)
    shown = [phone.show(jws, now, place_id=place_id) for phone, jws in issued]
    verifier = OfflineVerifier(snapshot, Gate(place_id=place_id))
    slowest, began = 0.0, time.process_time()
    for text in shown:
        before = time.perf_counter()
        verdict = verifier.check(text, now=now + timedelta(seconds=1))
        slowest = max(slowest, time.perf_counter() - before)
        if verdict.outcome is not Outcome.VALID:
            raise RuntimeError(verdict)
    return len(shown) / (time.process_time() - began), slowest * 1e3


def _issued(session, one):
    key = one.phone.fresh_key()
    held = issue_held(
        session,
        type="hc",
        holder_id=one.citizen.person_id,
        colour="green",
        expires_at=None,
        show_key=proofs.from_text(key["show_key"]),
        device_key_id=one.key_id,
    )
    return held.jws
