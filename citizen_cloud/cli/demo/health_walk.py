"""The tour's chapter about the health code: green, yellow, a gate without a server, a venue."""

import secrets
import uuid
from datetime import timedelta
from typing import Any
from uuid import UUID

from citizen_cloud import clock
from citizen_cloud.cli.demo.health_phone import Phone
from citizen_cloud.cli.demo.people import invented_phone
from citizen_cloud.cli.demo.steps import Steps, WalkFailed
from citizen_cloud.credentials.verifier import Gate, OfflineVerifier, Snapshot, keys_of

WELL = {"temperature_c": 36.5, "symptoms": [], "contact_with_case": False}
ILL = {"temperature_c": 38.4, "symptoms": ["cough"], "contact_with_case": False}


class HealthSteps(Steps):
    """Two citizens, an inspector at a venue, and three authorities."""

    def _show_health(self, green: str) -> None:
        """Walk through the health code with a citizen who is signed in."""
        self._declare(green, WELL, "green")
        inspector = self._staff_sign_in("inspector")
        place_id = str(self._secrets("inspector")["place_id"])
        self._verify_online(green, inspector, place_id)
        self._verify_offline(green, UUID(place_id))
        yellow = self._sign_in(invented_phone())
        self._prove_name(yellow)
        self._declare(yellow, ILL, "yellow")
        venue = self._call("GET", f"/places/{place_id}/code", expect=200, token=inspector)
        self._enter(green, place_id, venue["code"], "admitted")
        self._enter(yellow, place_id, venue["code"], "restricted")
        self._open_visits(place_id, green)

    def _declare(self, token: str, said: dict[str, Any], colour: str) -> None:
        consent = {"purpose": "health_code", "version": 1}
        self._call("POST", "/me/consents", expect=200, token=token, json=consent)
        self._call("POST", "/health-code/declarations", expect=200, token=token, json=said)
        status = self._call("GET", "/health-code/status", expect=200, token=token)
        if status["colour"] != colour:
            raise WalkFailed(f"declared {said} and is {status['colour']}, not {colour}")
        why = "".join(f"; {one['text']['zh']}" for one in status["reasons"])
        self._say(f"健康申报 declared; colour {colour}{why}")

    def _verify_online(self, citizen: str, inspector: str, place_id: str) -> None:
        code = self._call("GET", "/health-code/code", expect=200, token=citizen)["code"]
        scan = {"scan_id": str(uuid.uuid4()), "code": code, "place_id": place_id}
        path = "/health-code/verifications"
        found = self._call("POST", path, expect=200, token=inspector, json=scan)
        if found["outcome"] != "valid":
            raise WalkFailed(f"the inspector reads {found['outcome']}")
        self._say(f"核验通过 verified online: {found['colour']}, {found['name_masked']}")

    def _verify_offline(self, citizen: str, place_id: UUID) -> None:
        """Register a phone, and let a gate decide that asks no server."""
        phone, path = Phone(), "/health-code/devices"
        drawn = self._call("POST", f"{path}/challenge", expect=200, token=citizen)
        body = {
            "challenge_id": drawn["challenge_id"],
            **phone.registration(drawn["challenge"]),
        }
        self._call("POST", path, expect=201, token=citizen, json=body)
        given = self._call(
            "POST", "/health-code/credential", expect=200, token=citizen, json=phone.asking()
        )
        roots = self._http.get("/.well-known/credential-roots.json").json()
        snapshot = self._http.get("/api/v1/health-code/snapshot").text
        nonce = secrets.token_bytes(16)
        gate = OfflineVerifier(
            Snapshot.read(snapshot, keys_of(roots)), Gate(place_id=place_id, nonce=nonce)
        )
        shown = phone.show(given["credential"], clock.now(), nonce=nonce, place_id=place_id)
        self._judge(gate, shown, 0, "valid", "离线核验 a gate without a server")
        self._judge(gate, shown, 90, "stale_proof", "照片90秒后 a photograph, 90 s later")

    def _judge(
        self, gate: OfflineVerifier, shown: str, later_s: int, wanted: str, words: str
    ) -> None:
        verdict = gate.check(shown, now=clock.now() + timedelta(seconds=later_s))
        if verdict.outcome != wanted:
            raise WalkFailed(f"{words}: {verdict.outcome}, not {wanted}")
        self._say(f"{words}: {verdict.outcome}, {len(shown)} characters")

    def _enter(self, citizen: str, place_id: str, code: str, wanted: str) -> None:
        path = f"/places/{place_id}/visits"
        body = {"place_code": code}
        (entry,) = self._call("POST", path, expect=200, token=citizen, json=body)["entries"]
        if entry["outcome"] != wanted:
            raise WalkFailed(f"{path}: {entry['outcome']}, not {wanted}")
        self._say(f"扫场所码 entered by the venue's code: {entry['text']['zh']}")

    def _open_visits(self, place_id: str, citizen: str) -> None:
        """Let one authority ask, two others agree, and the citizen see who looked."""
        officer = self._staff_sign_in("officer")
        hour = clock.now().replace(minute=0, second=0, microsecond=0)
        wish = {
            "kind": "health_code.open_visits",
            "payload": {
                "place_id": place_id,
                "from_at": hour.isoformat(),
                "until_at": (hour + timedelta(hours=1)).isoformat(),
                "case_number": "演示 2026-0001",
            },
            "reason": "contact_tracing",
            "evidence_reference": "演示案卷 2026-0001",
        }
        made = self._call("POST", "/approvals", expect=201, token=officer, json=wish)
        path = f"/health-code/visit-openings/{made['id']}/visits"
        self._call("GET", path, expect=404, token=officer)
        self._say("未经批准不可查阅 nothing opens before two have agreed")
        for who in ("approver", "other_approver"):
            self._agree(self._staff_sign_in(who), str(made["id"]))
        found = self._call("GET", path, expect=200, token=officer)["items"]
        self._say(f"双人批准后查阅 opened by two: {len(found)} visits, names masked")
        looks = self._call("GET", "/me/data-access", expect=200, token=citizen)["items"]
        if not any(look["purpose"] == "health_code.visits" for look in looks):
            raise WalkFailed("the citizen does not see who read the visits")
        self._say("本人可见 the citizen sees who looked")

    def _agree(self, token: str, proposal_id: str) -> None:
        found = self._call("GET", f"/approvals/{proposal_id}", expect=200, token=token)
        word = {"verdict": "approve", "digest": found["digest"]}
        path = f"/approvals/{proposal_id}/decisions"
        decided = self._call("POST", path, expect=200, token=token, json=word)
        self._say(f"审批 one agreed: {decided['status']}")
