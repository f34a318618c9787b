"""A desk: one programme with a table of people, sent as CSV."""

from pathlib import Path
from typing import Any

import pytest

from rgapp.integrations.registry import KINDS
from tests.factories import Factory
from tests.integrations.sync.tables import KIND, Desk, MakeDesk, TableKind, TableSettings


@pytest.fixture(autouse=True)
def _table_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, KIND, TableKind())


@pytest.fixture
def make_desk(make: Factory, tmp_path: Path) -> MakeDesk:
    """Return a function that makes a programme with a published table; arguments are its settings."""

    def made(slug: str = "acme", **settings: Any) -> Desk:
        programme = make.programme(slug)
        integration = make.integration(
            programme, TableSettings(**settings).model_dump(), name="Payroll", kind=KIND, provider=KIND
        )
        make.session.commit()
        folder = tmp_path / slug
        folder.mkdir(exist_ok=True)
        return Desk(make, folder, programme, integration)

    return made


@pytest.fixture
def desk(make_desk: MakeDesk) -> Desk:
    """Return the desk of Acme."""
    return make_desk()
