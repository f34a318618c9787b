"""Reads the folders of good and bad responses under tests/fixtures/saml."""

import base64
import tomllib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from rgapp.demo.responses import encode
from rgapp.integrations.saml.connection import Connection, Signed
from rgapp.integrations.saml.response import examine
from rgapp.integrations.saml.verdict import Verdict
from tests.idp import NOW, connection, dialect_xml, expected, key_pair, response_xml, tamper
from tests.integrations.saml.attacks import ATTACKS

FIXTURES = Path(__file__).parents[2] / "fixtures" / "saml"


@dataclass(frozen=True)
class Case:
    """One folder."""

    name: str
    folder: Path
    data: dict[str, Any]

    def field(self) -> str:
        """Return the value of the form field."""
        if "raw" in self.data:
            return str(self.data["raw"])
        if "template" in self.data:
            template = (self.folder / self.data["template"]).read_text(encoding="utf-8")
            return self._written(dialect_xml(template.strip(), self.data))
        return base64.b64encode(self.xml()).decode()

    def _written(self, xml: bytes) -> str:
        """Return the document in base64, as this sender writes it: with a mark, in lines, in Windows' line ends."""
        mark = b"\xef\xbb\xbf" if self.data.get("mark") else b""
        text = encode(mark + xml)
        width = self.data.get("lines")
        return "\r\n".join(text[at : at + width] for at in range(0, len(text), width)) if width else text

    def xml(self) -> bytes:
        """Return the message of a bad case."""
        if "raw_xml" in self.data:
            return str(self.data["raw_xml"]).encode()
        if "attack" in self.data:
            return tamper(ATTACKS[self.data["attack"]](), self.data.get("after", ()))
        changes = dict(self.data.get("spec", {}))
        if "encrypt_for" in changes:
            changes["encrypt_for"] = key_pair(changes["encrypt_for"]).certificate
        changes |= dict.fromkeys(self.data.get("remove_spec", ()))
        return response_xml(
            before=self.data.get("before", ()),
            after=self.data.get("after", ()),
            signer=key_pair(self.data.get("signer", "idp")),
            **changes,
        )

    def connection(self) -> Connection:
        """Return the connection that the case is for."""
        changes = dict(self.data.get("connection", {}))
        if "signed" in changes:
            changes["signed"] = Signed(changes["signed"])
        if "certificates" in changes:
            changes["certificates"] = tuple(key_pair(name).certificate for name in changes["certificates"])
        changes |= dict.fromkeys(self.data.get("remove", ()))
        return connection(**changes)

    def verdict(self) -> Verdict:
        """Examine the response."""
        request = expected() if self.data.get("request", True) else None
        now = NOW + timedelta(seconds=self.data.get("clock", 0))
        return examine(self.field(), self.connection(), request=request, now=now)


def cases(kind: str) -> list[Case]:
    """Return the cases of a kind: good or bad."""
    return [
        Case(folder.name, folder, tomllib.loads((folder / "case.toml").read_text(encoding="utf-8")))
        for folder in sorted((FIXTURES / kind).iterdir())
    ]
