"""The WSGI application, for gunicorn and for the `flask` command in this folder."""

from rgapp import create_app

app = create_app()
