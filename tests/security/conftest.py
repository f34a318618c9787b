"""The identity provider and the connection of the sign-in tests, for attackers."""

from tests.sso.conftest import door, idp_key, make_door

__all__ = ["door", "idp_key", "make_door"]
