"""The same programmes and staff as in the tests of Users, and a connection."""

from tests.sso.conftest import idp_key, make_door
from tests.users.conftest import admin, operator, platform, stranger, support

__all__ = ["admin", "idp_key", "make_door", "operator", "platform", "stranger", "support"]
