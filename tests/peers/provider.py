"""An identity provider's process: started with its files, told how to behave, stopped at the end."""

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_SECONDS = 60
#: Another name than the application's 127.0.0.1, so that a browser takes the two for two sites.
HOST = "localhost"


@dataclass
class Provider:
    """A running identity provider. Its folder holds key, certificate, our metadata and how it is to behave."""

    name: str
    folder: Path
    port: int
    metadata_path: str = "/metadata"

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://{HOST}:{self.port}"

    def metadata(self) -> bytes:
        """Return its metadata, from where it publishes it."""
        status, body = request(self.port, self.metadata_path)
        assert status == 200, (body, self.log())
        return body

    def behave(self, **options: Any) -> None:
        """Say how it answers from now on; what is not named is as in its defaults."""
        written = self.folder / "behaviour.new"
        written.write_text(json.dumps(options), encoding="utf-8")
        written.replace(self.folder / "behaviour.json")

    def learn(self, metadata: bytes) -> None:
        """Give it our metadata."""
        (self.folder / "service.xml").write_bytes(metadata)

    def log(self) -> str:
        """Return what the process printed."""
        return (self.folder / "log").read_text(errors="replace")


def request(port: int, path: str) -> tuple[int, bytes]:
    """Make a plain GET request on loopback."""
    connection = http.client.HTTPConnection(HOST, port, timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def prepare(name: str, folder: Path, key: tuple[str, str], port: int, **options: Any) -> Provider:
    """Write an identity provider's files: idp.key, idp.crt, config.json, behaviour.json."""
    folder.mkdir(exist_ok=True)
    (folder / "idp.key").write_text(key[0])
    (folder / "idp.crt").write_text(key[1])
    provider = Provider(name, folder, port, **options)
    (folder / "config.json").write_text(json.dumps({"url": provider.url, "port": port, "folder": str(folder)}))
    provider.behave()
    return provider


@contextmanager
def running(provider: Provider, command: Sequence[str], cwd: Path, **variables: str) -> Iterator[Provider]:
    """Run an identity provider's process until the block ends."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RGAPP_")}
    with (provider.folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=cwd, env=kept | variables, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        until = time.monotonic() + START_SECONDS
        while not _listens(provider.port):
            assert process.poll() is None, provider.log()
            assert time.monotonic() < until, provider.log()
            time.sleep(0.05)
        yield provider
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)


def _listens(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True
