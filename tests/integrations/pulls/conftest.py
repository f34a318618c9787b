"""Fixtures of pulls."""

import pytest
from cryptography.fernet import Fernet

from rgapp.sealing import Sealer


@pytest.fixture
def sealer() -> Sealer:
    """Return a sealer with a key of its own."""
    return Sealer([Fernet.generate_key().decode()])
