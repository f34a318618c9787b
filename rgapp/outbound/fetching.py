"""Fetch one document: bounded in size and time, no redirects."""

from contextlib import closing
from urllib.parse import urlsplit

import urllib3

from rgapp.outbound.connection import USER_AGENT, Deadline, Wire, body_of, pool_to, trouble
from rgapp.outbound.targets import OutboundError, check_target

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
TOTAL_SECONDS = 20.0


def fetch(url: str, *, allow: frozenset[str], largest: int, accept: str = "*/*") -> bytes:
    """GET a document of at most `largest` bytes; redirects are refused, they would lead past the check.

    Raises `OutboundError`.
    """
    target = check_target(url, allow=allow)
    timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
    headers = {
        "Host": urlsplit(target.origin).netloc,
        "Accept": accept,
        "Accept-Encoding": "identity",
        "User-Agent": USER_AGENT,
    }
    with closing(Wire()) as wire:
        deadline = Deadline(TOTAL_SECONDS, wire)
        try:
            with deadline, pool_to(target, timeout, wire) as pool:
                response = pool.urlopen(
                    "GET", target.path, headers=headers, redirect=False, retries=False, preload_content=False
                )
                try:
                    body = _body(response, largest)
                finally:
                    response.close()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise trouble(error, deadline) from error
    if deadline.passed:  # What was read until then may look like a whole document.
        raise OutboundError("timeout")
    return body


def _body(response: urllib3.BaseHTTPResponse, largest: int) -> bytes:
    if 300 <= response.status < 400:
        raise OutboundError("redirect", status=response.status)
    if response.status != 200:
        raise OutboundError("status", status=response.status)
    return body_of(response, largest)
