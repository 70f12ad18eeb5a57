"""What the credentials room's doors need: a first snapshot, which the worker would publish."""

from citizen_cloud import db
from citizen_cloud.credentials import queries
from citizen_cloud.credentials.services.snapshots import publish


def build(city):
    del city
    with db.transaction() as session:
        publish(session)
    queries.forget()
