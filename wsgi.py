"""The WSGI application, for gunicorn and for the `flask` command in this folder."""

import sys

from rgapp import create_app
from rgapp.config import ConfigError

try:
    app = create_app()
except ConfigError as error:
    sys.exit(f"{error}")  # A sentence for the operator; the traceback would only hide it.
