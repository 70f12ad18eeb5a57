"""gunicorn's handle. Imported in each worker after gevent has patched the standard library."""

from citizen_cloud.app import create_app
from citizen_cloud.config import load_settings
from citizen_cloud.portal.state import HOST
from citizen_cloud.web.body import BoundedBody

_settings = load_settings()
_app = create_app(_settings)
_app.extensions[HOST].switchboard.start()
application = BoundedBody(_app, _settings)
