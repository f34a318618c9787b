"""The same programmes and staff as in the tests of Users."""

from tests.users.conftest import admin, operator, platform, stranger, support

__all__ = ["admin", "operator", "platform", "stranger", "support"]
