"""The accounts room's routes: signing in, the own account, and well-known addresses."""

from citizen_cloud.accounts.routes import auth, factors, me, person, well_known

blueprints = (auth.blp, factors.blp, me.blp, person.blp, well_known.blp)
