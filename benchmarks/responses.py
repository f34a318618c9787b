"""Make different signed responses ahead of time: RSA-2048, assertion-signed, five kilobytes, one person each."""

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from benchmarks.place import ATTRIBUTES, IDP_ENTITY_ID, Place
from rgapp.demo.responses import ResponseSpec, build_response, encode

FIRST = ("Jane", "Zoë", "Grace", "Marcus", "Tomasz", "Priya", "Aoife", "José", "Wei", "Fatima", "Lars", "Noor")
LAST = (
    "Carter",
    "O’Neill",
    "Okafor",
    "Bell",
    "Nowak",
    "Sharma",
    "Byrne",
    "Núñez",
    "Chen",
    "Hassan",
    "Berg",
    "van Dijk",
)
SIZE = 5_000
# Groups as directories send them, and the filler that brings each response to the size above.
GROUPS = "http://schemas.xmlsoap.org/claims/Group"
LIFETIME = timedelta(minutes=50)


@dataclass(frozen=True)
class Errand:
    """One sign-in to be made: who, in answer to which request, with what the browser brings along."""

    person: int
    request_id: str | None = None
    relay_state: str = ""
    cookie: str = ""


@dataclass(frozen=True)
class Signer:
    """What signs: the identity provider's key pair (PEM) and where its responses go."""

    key: str
    certificate: str
    place: Place

    def response(self, errand: Errand) -> bytes:
        """Build one response of about `SIZE` bytes."""
        return build_response(self._spec(errand), self.key, self.certificate)

    def form(self, errand: Errand) -> bytes:
        """Return the body of the POST that brings the response."""
        fields = {"SAMLResponse": encode(self.response(errand))}
        if errand.relay_state:
            fields["RelayState"] = errand.relay_state
        return urlencode(fields).encode()

    def _spec(self, errand: Errand) -> ResponseSpec:
        number = errand.person
        first, last = FIRST[number % len(FIRST)], LAST[number // len(FIRST) % len(LAST)]
        values = {
            ATTRIBUTES["membership_no"]: [f"N{number:07}"],
            ATTRIBUTES["email"]: [f"person.{number}@acme.example"],
            ATTRIBUTES["first_name"]: [first],
            ATTRIBUTES["last_name"]: [last],
            ATTRIBUTES["date_of_birth"]: [f"{1 + number % 28:02}/{1 + number % 12:02}/{1960 + number % 40}"],
            GROUPS: ["All employees", "United Kingdom", "Rewards", "Filler " + "x" * 640],
        }
        return ResponseSpec(
            issuer=IDP_ENTITY_ID,
            audience=self.place.entity_id,
            acs_url=self.place.acs_url,
            now=datetime.now(UTC) - timedelta(seconds=1),
            name_id=f"N{number:07}",
            attributes=values,
            in_response_to=errand.request_id,
            lifetime=LIFETIME,
            session_index=f"_session-{number}",
        )


def forms(signer: Signer, errands: Sequence[Errand]) -> list[bytes]:
    """Sign one response for each errand, on all processors."""
    with ProcessPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(signer.form, errands, chunksize=50))
