"""Whom and what the responses name: all that the compared applications need to know, without the application itself."""

from dataclasses import dataclass
from urllib.parse import urlsplit

IDP_ENTITY_ID = "https://idp.example/metadata"
CLAIM = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
ATTRIBUTES = {
    "membership_no": "http://schemas.example/claims/employeenumber",
    "email": f"{CLAIM}emailaddress",
    "first_name": f"{CLAIM}givenname",
    "last_name": f"{CLAIM}surname",
    "date_of_birth": f"{CLAIM}dateofbirth",
}


@dataclass(frozen=True)
class Place:
    """The connection that responses are addressed to."""

    entity_id: str
    acs_url: str

    @property
    def acs_path(self) -> str:
        """Return the path of the ACS."""
        return urlsplit(self.acs_url).path

    @property
    def host(self) -> str:
        """Return the host of our address."""
        return urlsplit(self.acs_url).netloc
