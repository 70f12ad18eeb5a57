"""The accounts room's routes: signing in, the own account, and well-known addresses."""

from citizen_cloud.accounts.routes import auth, well_known

blueprints = (auth.blp, well_known.blp)
