"""Which tables hold something about somebody, found by walking the metadata."""

import re

from citizen_cloud.db import Base

PEOPLE = ("accounts.person", "accounts.account")
# A name that says whose a row is, or who did it.
KEY = re.compile(
    r"^(.*_)?(person|account|reader|actor|holder|guardian|dependant|proxy|owner|client|principal|staff"
    r"|citizen|subject)_(id|key)$|_by$"
)
# Tables whose columns look like it and are not, each with its reason.
NOT_PERSONAL = {
    "accounts.honey_person": "made-up people; nobody is behind them",
    "registry.module": "who switched a service acts by office; the audit trail tells it as well",
    "oidc.client_secret": "a partner's system proves itself with it",
    "oidc.token": "a ten-minute hash of an issuance, which is covered; the two are erased together",
}


def keys_of(table):
    """Return the columns that lead from a table to a person or an account."""
    return [
        column.name
        for column in table.columns
        if KEY.search(column.name)
        or any(key.column.table.fullname in PEOPLE for key in column.foreign_keys)
    ]


def personal_tables():
    """Return every table that must be covered."""
    return {
        table.fullname
        for table in Base.metadata.tables.values()
        if (keys_of(table) or table.fullname in PEOPLE) and table.fullname not in NOT_PERSONAL
    }


def covered_tables(owners):
    """Return every table that some owner says to cover."""
    return {
        table
        for owner in owners
        if owner.personal_data is not None
        for table in owner.personal_data.tables
    }
