"""Read codes with nothing but public keys and a clock: no network, no database, no framework.

What a counter or a gate runs while the whole backend is down; nothing here imports Flask,
SQLAlchemy, marshmallow, Redis or gevent (a test and an import contract hold that). Online,
``services`` adds what only the issuance record knows.

    roots = keys_of(json.load(open("credential-roots.json")))       # pinned, got once
    snapshot = Snapshot.read(open("snapshot.jws").read(), roots)    # keys and status, signed
    gate = OfflineVerifier(snapshot, Gate(nonce=nonce))
    gate.check(scanned, now=datetime.now(UTC)).outcome is Outcome.VALID
"""

from citizen_cloud.credentials.claims import Claims
from citizen_cloud.credentials.verifier.gates import Gate, OfflineVerifier, Verdict
from citizen_cloud.credentials.verifier.outcomes import Outcome
from citizen_cloud.credentials.verifier.reading import (
    ALGORITHM,
    HEADER,
    Keys,
    Reading,
    at,
    keys_of,
    read,
    verify,
)
from citizen_cloud.credentials.verifier.snapshots import KeyRevoked, Snapshot, SnapshotInvalid

__all__ = [
    "ALGORITHM",
    "HEADER",
    "Claims",
    "Gate",
    "KeyRevoked",
    "Keys",
    "OfflineVerifier",
    "Outcome",
    "Reading",
    "Snapshot",
    "SnapshotInvalid",
    "Verdict",
    "at",
    "keys_of",
    "read",
    "verify",
]
