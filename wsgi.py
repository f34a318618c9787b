"""The WSGI application, for gunicorn and for the `flask` command in this folder."""

import os
import sys

from rgapp import create_app
from rgapp.config import ConfigError

# Databases, keys and mails are for the owner of the processes alone, whatever folder they are in.
os.umask(0o077)

try:
    app = create_app()
except ConfigError as error:
    sys.exit(f"{error}")  # A sentence for the operator; the traceback would only hide it.
