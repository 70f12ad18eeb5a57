"""gunicorn's handle. Imported in each worker after gevent has patched the standard library."""

from citizen_cloud.app import create_app
from citizen_cloud.config import load_settings
from citizen_cloud.web.body import BoundedBody

_settings = load_settings()
application = BoundedBody(create_app(_settings), _settings)
