"""docs/security.md names tests and files that are there."""

import re

import pytest

from tests.journeys.live import ROOT

TEXT = (ROOT / "docs" / "security.md").read_text()


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:tests|rgapp|scripts|docs)/[\w/.]+)`", TEXT))))
def test_what_the_document_names_is_there(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([\w./-]+)\)", TEXT))))
def test_what_the_document_leads_to_is_there(target: str) -> None:
    assert (ROOT / "docs" / target).is_file()
