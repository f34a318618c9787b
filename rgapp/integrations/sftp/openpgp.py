"""The OpenPGP key pair of an integration: files may be encrypted with its public half, and only we can open them."""

from typing import Final

from rgapp.integrations.files.contained.runner import run
from rgapp.integrations.files.openpgp import PrivateKey
from rgapp.models import Integration
from rgapp.sealing import Sealer

SECONDS: Final = 120


class NoKeyMade(RuntimeError):
    """The program that makes keys died or took too long; trying again may help."""


def make_key_pair(owner: str) -> tuple[str, str]:
    """Make a key pair without an end and return its halves armored, the private one first.

    Takes seconds, so it is made where somebody asks for it. Raises `NoKeyMade`.
    """
    made = run("make_key", {"owner": owner}, seconds=SECONDS)
    if made is None:
        raise NoKeyMade
    return made["private"], made["public"]


def give_key(integration: Integration, sealer: Sealer) -> str:
    """Give an integration its key pair, where it has none, and return the public key; the caller flushes.

    Raises `NoKeyMade`.
    """
    if integration.service_key is None or integration.service_certificate is None:
        private, public = make_key_pair(integration.name)
        integration.service_key, integration.service_certificate = sealer.seal(private), public
    return integration.service_certificate or ""


def private_key(integration: Integration, sealer: Sealer) -> PrivateKey | None:
    """Return the key that opens files for this integration, None where it has none."""
    if integration.service_key is None:
        return None
    return PrivateKey(sealer.unseal(integration.service_key).encode())
