"""An integration that has an SFTP account; which kind it is does not matter to what is tested here."""

import pytest

from rgapp.integrations.scim.settings import DEFAULT_MAPPING
from rgapp.models import Integration
from tests.factories import Factory


@pytest.fixture
def integration(make: Factory) -> Integration:
    """Return a draft of a programme called acme."""
    settings = {"mapping": {field.value: source for field, source in DEFAULT_MAPPING.items()}}
    acme = make.programme("acme")
    return make.integration(acme, settings, kind="scim", provider="scim", name="Payroll file", published=False)
