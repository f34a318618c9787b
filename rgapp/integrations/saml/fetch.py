"""Fetch identity provider metadata from an address an admin typed."""

from typing import Any

from rgapp.outbound import OutboundError, fetch

LARGEST_METADATA = 2 * 1024 * 1024

SENTENCES = {
    "bad_address": "This is not a full https:// address.",
    "needs_https": "The metadata address must begin with https://.",
    "private": "This address leads into a private network. Ask your provider for a public one, or upload the file.",
    "unknown_host": "No server with this name was found. Check the address for a typing error.",
    "redirect": "The address answers with a redirect, which is not followed. Use the final address.",
    "too_large": "The document is larger than 2 MiB, so it is not one provider's metadata.",
    "timeout": "The server took too long to answer.",
    "tls": "The server's TLS certificate could not be verified.",
    "unreachable": "The server could not be reached.",
}


class FetchError(RuntimeError):
    """Metadata that could not be fetched; the message is a sentence for the admin."""

    def __init__(self, code: str, **data: Any) -> None:
        sentence = SENTENCES.get(code) or f"The server answered with HTTP status {data.get('status')}."
        super().__init__(sentence)
        self.code = code


def fetch_metadata(url: str, *, allow: frozenset[str]) -> bytes:
    """GET metadata; see `rgapp.outbound.fetch` for what is refused.

    Raises `FetchError`.
    """
    try:
        return fetch(url, allow=allow, largest=LARGEST_METADATA, accept="application/samlmetadata+xml, text/xml, */*")
    except OutboundError as error:
        raise FetchError(error.code, **error.data) from error
