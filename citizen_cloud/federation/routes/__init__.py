"""Routes of the federation room: signing in through others, and the own identities."""

from citizen_cloud.federation.routes import identities, signing_in

blueprints = (signing_in.blp, identities.blp)
