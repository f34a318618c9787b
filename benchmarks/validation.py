"""Validation alone: `examine()` as a multiple of bare parsing and signature checking, and stock python3-saml."""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings

from benchmarks import floor, report
from benchmarks.place import IDP_ENTITY_ID, Place
from benchmarks.plain import saml_settings
from benchmarks.responses import Errand, Signer
from rgapp.demo.responses import encode, make_idp_key
from rgapp.integrations.saml.connection import Connection
from rgapp.integrations.saml.response import examine
from rgapp.integrations.saml.verdict import ExpectedRequest

REQUEST_ID = "_request-0123456789abcdef0123456789abcdef"
PLACE = Place("https://rewards.example/sso/benchmark/metadata", "https://rewards.example/sso/benchmark/acs")
# Short turns, one after the other: whatever else the machine does then disturbs all alike.
TURNS = 10


@dataclass(frozen=True)
class Measured:
    """What one response cost."""

    what: str
    cpu_ms: float
    times_bare: float


def ways(signer: Signer) -> dict[str, Callable[[str], Any]]:
    """Return what is compared: each takes the form field, and raises unless the response is good."""
    bare_key = floor.load_key(signer.certificate)
    connection = Connection(
        entity_id=PLACE.entity_id,
        acs_url=PLACE.acs_url,
        idp_entity_id=IDP_ENTITY_ID,
        certificates=(signer.certificate,),
        sp_initiated=True,
    )
    stock_settings = OneLogin_Saml2_Settings(saml_settings(PLACE, signer.certificate))
    parts = urlsplit(PLACE.acs_url)
    asked = {"https": "on", "http_host": parts.netloc, "script_name": parts.path}
    expected = ExpectedRequest(REQUEST_ID)

    def bare(text: str) -> None:
        floor.verify(floor.decode(text), bare_key)

    def ours(text: str) -> None:
        verdict = examine(text, connection, request=expected, now=datetime.now(UTC))
        if verdict.assertion is None:
            raise RuntimeError(f"refused: {verdict.refusal}")

    def stock(text: str) -> None:
        response = OneLogin_Saml2_Response(stock_settings, text)
        if not response.is_valid(asked, REQUEST_ID):
            raise RuntimeError(f"refused: {response.get_error()}")
        response.get_attributes()

    return {"bare lxml parse and xmlsec verify": bare, "examine(), every check": ours, "stock python3-saml": stock}


def measure(count: int) -> list[Measured]:
    """Let every way read the same responses, in turns."""
    key, certificate = make_idp_key(datetime.now(UTC), "Benchmark identity provider")
    signer = Signer(key, certificate, PLACE)
    fields = [encode(signer.response(Errand(number, REQUEST_ID))) for number in range(count)]
    found = ways(signer)
    spent = dict.fromkeys(found, 0.0)
    for way in found.values():
        way(fields[0])
    for turn in range(TURNS):
        for name, way in found.items():
            started = time.process_time()
            for text in fields[turn::TURNS]:
                way(text)
            spent[name] += time.process_time() - started
    bare = next(iter(spent.values()))
    return [Measured(name, seconds * 1000 / count, seconds / bare) for name, seconds in spent.items()]


def table(found: Sequence[Measured]) -> str:
    """Return the table."""
    rows = [[one.what, f"{one.cpu_ms:.3f}", f"{one.times_bare:.1f}"] for one in found]
    return report.table(["one response of 5 KB, signed with RSA-2048", "CPU ms", "× bare"], rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--responses", type=int, default=1000)
    found = measure(parser.parse_args().responses)
    report.keep("validation", table(found), [asdict(one) for one in found])


if __name__ == "__main__":
    main()
