"""The application with a fault put in: who is asking is remembered for two seconds.

For ``test_revocation.py`` alone, which must notice it.
"""

import time

from citizen_cloud import app

REMEMBERED_S = 2.0


def remembering(ask):
    """Keep each answer for a while, as a cache in front of the database would."""
    known = {}

    def asked(connection, *facts):
        key = str(facts)
        if key not in known or known[key][0] < time.monotonic():
            known[key] = (time.monotonic() + REMEMBERED_S, ask(connection, *facts))
        return known[key][1]

    return asked


app.authenticate = remembering(app.authenticate)
app.grant_of = remembering(app.grant_of)

from citizen_cloud.wsgi import application  # noqa: E402, F401 - the fault comes first
