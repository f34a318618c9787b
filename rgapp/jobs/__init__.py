"""The task queue: what happens off the request path."""
