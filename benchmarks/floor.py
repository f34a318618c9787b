"""The floor, less than which no sign-in can be: parse, verify the signature, one INSERT, redirect; no checks."""

import base64
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import psycopg
import xmlsec
from lxml import etree

ASSERTION = "{urn:oasis:names:tc:SAML:2.0:assertion}Assertion"
SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
ATTRIBUTE_VALUE = "{urn:oasis:names:tc:SAML:2.0:assertion}AttributeValue"
TABLE = "CREATE TABLE people (id TEXT PRIMARY KEY, membership_no TEXT, email TEXT, first TEXT, last TEXT, born TEXT)"
COLUMNS = "INSERT INTO people (id, membership_no, email, first, last, born) VALUES "
StartResponse = Callable[[str, list[tuple[str, str]]], Any]


def create_table(address: str) -> None:
    """Make the one table of this database."""
    insert = Insert(address)
    insert.connection().execute(TABLE)
    insert.connection().close()


class Insert:
    """One INSERT on a connection that each thread keeps."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.on_sqlite = address.startswith("sqlite:///")
        self.statement = COLUMNS + ("(?, ?, ?, ?, ?, ?)" if self.on_sqlite else "(%s, %s, %s, %s, %s, %s)")
        self._kept = threading.local()

    def connection(self) -> Any:
        """Return this thread's connection."""
        if not hasattr(self._kept, "connection"):
            self._kept.connection = self._open()
        return self._kept.connection

    def _open(self) -> Any:
        if not self.on_sqlite:
            return psycopg.connect(self.address, autocommit=True)
        opened = sqlite3.connect(self.address.removeprefix("sqlite:///"), isolation_level=None, timeout=15)
        opened.execute("PRAGMA journal_mode = WAL")
        opened.execute("PRAGMA synchronous = NORMAL")
        return opened

    def __call__(self, values: list[str]) -> None:
        """Write one person."""
        self.connection().execute(self.statement, (str(uuid4()), *values))


def verify(xml: bytes, key: Any) -> etree._Element:
    """Parse a response and verify its assertion's signature; returns the assertion, raises xmlsec.Error."""
    assertion = etree.fromstring(xml).find(ASSERTION)
    signature = assertion.find(SIGNATURE) if assertion is not None else None
    if assertion is None or signature is None:
        raise ValueError("no signed assertion")
    context = xmlsec.SignatureContext()
    context.key = key
    context.register_id(assertion, "ID", None)
    context.verify(signature)
    return assertion


def decode(field: str) -> bytes:
    """Return the XML of the form field."""
    return base64.b64decode(field)


def load_key(certificate: str) -> Any:
    """Load the public key of a PEM certificate."""
    return xmlsec.Key.from_memory(certificate, xmlsec.constants.KeyDataFormatCertPem)


def create_app() -> Callable[[dict[str, Any], StartResponse], Iterable[bytes]]:
    """Make the WSGI application; `BENCHMARK_DATABASE` and `BENCHMARK_CERTIFICATE` (a file) say where things are."""
    key = load_key(Path(os.environ["BENCHMARK_CERTIFICATE"]).read_text())
    insert = Insert(os.environ["BENCHMARK_DATABASE"])

    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "POST":
            start_response("404 Not Found", [("Content-Length", "0")])
            return []
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        field = parse_qs(body.decode())["SAMLResponse"][0]
        assertion = verify(decode(field), key)
        values = [element.text or "" for element in assertion.iter(ATTRIBUTE_VALUE)]
        insert(values[:5])
        start_response("303 See Other", [("Location", "/welcome"), ("Content-Length", "0")])
        return []

    return app
