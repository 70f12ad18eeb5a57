"""The canary shares its code, has it on paper, and had a certificate of disability seen."""

import canary

from citizen_cloud import db
from citizen_cloud.accounts.services.real_name import Claim
from citizen_cloud.modules.health_code.services.codes import paper_counter
from citizen_cloud.modules.health_code.services.codes.disabilities import Counter

EVIDENCE = "canary-certificate-7781"
VALUES = (EVIDENCE,)


def build(me):
    me.send("POST", "/me/consents", {"purpose": "health_code", "version": 1})
    me.send(
        "POST", "/health-code/declarations", {"symptoms": ["cough"], "contact_with_case": False}
    )
    me.send("POST", "/health-code/share", status=201)
    claim = Claim(document_type="resident_id", number=me.number, name=canary.NAME)
    counter = Counter(account_id=me.clerk.account_id, organisation_id=me.outlet)
    with db.transaction() as session:
        paper_counter.give(session, claim=claim, counter=counter, disability_evidence=EVIDENCE)
