"""The accounts room's routes: signing in, the own account, and well-known addresses."""

from citizen_cloud.accounts.routes import (
    auth,
    bindings,
    factors,
    me,
    person,
    proofs,
    receipts,
    well_known,
)

blueprints = (
    auth.blp,
    me.blp,
    person.blp,
    proofs.blp,
    receipts.blp,
    factors.blp,
    bindings.blp,
    well_known.blp,
)
