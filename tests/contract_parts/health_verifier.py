"""Inspectors of the contract's city; the code they send is none, which is an answer too."""

BODIES = {
    "verifyHealthCode": lambda _: {"scan_id": "scan-1", "code": "CC1:ABC"},
    "uploadHealthCodeScans": lambda _: {
        "scans": [
            {
                "scan_id": "scan-2",
                "code": "CC1:ABC",
                "scanned_at": "2026-03-02T09:00:00Z",
                "outcome": "malformed",
            }
        ]
    },
}
