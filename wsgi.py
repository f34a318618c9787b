"""The WSGI application for gunicorn and the `flask` command, and its task queue for the worker."""

from rgapp import create_app

app = create_app()
huey = app.extensions["queue"]
