"""gunicorn's handle. Imported in each worker after gevent has patched the standard library."""

import gc

from citizen_cloud.app import create_app
from citizen_cloud.config import load_settings
from citizen_cloud.portal.state import HOST
from citizen_cloud.web.body import BoundedBody

_settings = load_settings()
_app = create_app(_settings)
_app.extensions[HOST].switchboard.start()
application = BoundedBody(_app, _settings)

# What was built above lives as long as the process: no collection need walk through it again, and
# a request's own garbage is mostly freed by counting.
gc.collect()
gc.freeze()
gc.set_threshold(10_000, 20, 20)
