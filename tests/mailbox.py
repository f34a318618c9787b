"""A mail server on loopback that keeps what it is sent."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP


class Mailbox:
    """What arrived, in order; `refuse` makes the server turn mail away with that answer, `farewell` answers QUIT."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.refuse: str | None = None
        self.farewell = "221 Bye"
        self.url = ""
        self.conversations = 0
        self._open: list[SMTP] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    async def handle_EHLO(self, server: SMTP, session: Any, envelope: Any, name: str, answers: list[str]) -> list[str]:
        """Count one conversation."""
        session.host_name = name
        self.conversations += 1
        self._open.append(server)
        self._loop = server.loop
        return answers

    async def handle_QUIT(self, server: Any, session: Any, envelope: Any) -> str:
        """Answer the farewell."""
        return self.farewell

    def hang_up(self) -> None:
        """End every conversation without a word, as servers do with those that last too long for them."""
        gone = threading.Event()

        def end() -> None:
            for server in self._open:
                if server.transport is not None:
                    server.transport.close()
            gone.set()

        assert self._loop is not None
        self._loop.call_soon_threadsafe(end)
        assert gone.wait(10)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Keep one message."""
        if self.refuse:
            return self.refuse
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """Run a mail server; give its `url` to RGAPP_SMTP_URL."""
    mailbox = Mailbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    mailbox.url = f"smtp://127.0.0.1:{port}"
    try:
        yield mailbox
    finally:
        controller.stop()


@pytest.fixture
def smtp() -> Iterator[Mailbox]:
    """Return a running mail server."""
    with mail_server() as running:
        yield running
