"""The folder of the demo in the instance: key and certificate, port, address, what the launcher opens, the password."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from rgapp.demo.responses import make_idp_key

FOLDER = "demo-idp"
# No letters and digits that are mistaken for one another when somebody types a password from a screen.
_TYPEABLE = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class Service:
    """The connection that the identity provider's launcher opens."""

    name: str
    entity_id: str
    acs_url: str


@dataclass(frozen=True)
class DemoStore:
    """Files that the loader, `make run` and the identity provider share; only their owner can read them."""

    folder: Path

    @classmethod
    def of(cls, instance: Path) -> "DemoStore":
        """Return the store of an instance folder, made where it does not exist."""
        folder = instance / FOLDER
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(folder)

    @property
    def url(self) -> str:
        """Return the identity provider's address, as `make run` chose it."""
        return self._read("url") or "http://localhost:8100"

    @property
    def port(self) -> int:
        """Return the port of that address."""
        return int(self._read("port") or 8100)

    def key_pair(self, now: datetime) -> tuple[str, str]:
        """Return the signing key and its certificate as PEM, made on the first call."""
        if not (self._read("key.pem") and self._read("certificate.pem")):
            key, certificate = make_idp_key(now)
            self._write("key.pem", key)
            self._write("certificate.pem", certificate)
        return self._read("key.pem"), self._read("certificate.pem")

    def password(self) -> str:
        """Return the password of the demo's staff, made on the first call: no two installations share one."""
        if not self._read("password"):
            groups = ("".join(secrets.choice(_TYPEABLE) for _ in range(5)) for _ in range(4))
            self._write("password", "-".join(groups))
        return self._read("password")

    def keep_service(self, service: Service) -> None:
        """Tell the launcher which connection it opens."""
        self._write("service.json", json.dumps(asdict(service)))

    def service(self) -> Service | None:
        """Return the connection that the launcher opens, once the demo is loaded."""
        text = self._read("service.json")
        return Service(**json.loads(text)) if text else None

    def _read(self, name: str) -> str:
        path = self.folder / name
        return path.read_text().strip() if path.is_file() else ""

    def _write(self, name: str, text: str) -> None:
        """Write a file whole or not at all: other processes read it at the same time."""
        draft = self.folder / f".{name}.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(text + "\n")
        draft.replace(self.folder / name)
