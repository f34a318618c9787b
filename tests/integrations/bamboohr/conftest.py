"""Houses with a simulated BambooHR next door, which waits for nothing."""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from rgapp.demo.bamboohr.service import running
from rgapp.integrations.bamboohr.feeds import BambooFeeds
from rgapp.outbound import Client
from tests.factories import Factory
from tests.integrations.bamboohr.house import MAPPING, House, MakeHouse

TRY_SECONDS = 0.2


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BambooFeeds, "client", partial(Client, seconds=TRY_SECONDS, sleep=lambda seconds: None))


@pytest.fixture
def make_house(make: Factory, tmp_path: Path, _impatient: None) -> Iterator[MakeHouse]:
    """Return a function that makes a programme with so many people in its BambooHR; the rest are settings."""
    with ExitStack() as stack:

        def made(employees: int = 12, slug: str = "acme", key: bool = True, **settings: Any) -> House:
            simulated = stack.enter_context(running(employees))
            programme = make.programme(slug)
            draft = {"subdomain": "acme", "base_url": simulated.origin, "mapping": MAPPING} | settings
            integration = make.integration(programme, draft, name="BambooHR", kind="bamboohr", provider="bamboohr")
            make.session.commit()
            folder = tmp_path / f"{slug}-sync"
            folder.mkdir()
            house = House(make, folder, simulated, programme, integration)
            if key:
                house.open_with("api_key", api_key=simulated.key)
            return house

        yield made


@pytest.fixture
def house(make_house: MakeHouse) -> House:
    """Return the house of Acme, with twelve people."""
    return make_house()
