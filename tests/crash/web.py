"""The web process, with points at which it dies."""

from tests.crash import faults

faults.install()

from wsgi import app  # noqa: E402 - the points come first.

__all__ = ["app"]
