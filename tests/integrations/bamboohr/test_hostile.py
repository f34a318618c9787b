"""Whatever stands in an answer: it is a row, or the pull fails in words, and nothing else comes of it."""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rgapp.integrations.bamboohr.api import Bamboo
from rgapp.integrations.bamboohr.calls import APIKey, _date
from rgapp.integrations.bamboohr.errors import BambooError
from rgapp.integrations.bamboohr.fields import account_fields, in_dataset
from rgapp.integrations.bamboohr.reader import Reader
from rgapp.integrations.bamboohr.rows import Rows, Standing
from rgapp.integrations.bamboohr.settings import BambooSettings
from rgapp.integrations.pulls import store as stored
from rgapp.integrations.pulls.account import AccountError
from rgapp.integrations.pulls.store import PullStore
from rgapp.integrations.pulls.values import number, text
from rgapp.integrations.sync.feed import Pulled
from rgapp.outbound import Answer
from tests.conftest import NOW
from tests.integrations.bamboohr.house import MAPPING

SETTINGS = BambooSettings.model_validate({"subdomain": "acme", "mapping": MAPPING})
TODAY = NOW.date()
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
# Answers that nearly are what is asked for, and any others.
words = st.sampled_from(
    ["data", "fields", "meta", "totalItems", "totalPages", "employees", "id", "name", "alias", "label", "pagination",
     "total_pages", "page", "nextCursor", "latest", "action", "firstName", "employeeNumber", "101"]
)  # fmt: skip
answers = st.recursive(
    values, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=5), max_leaves=20
)


class Said:
    """A client that answers whatever comes next."""

    def __init__(self, script: list[tuple[int, Any]]) -> None:
        self.script = script
        self.headers: dict[str, str] = {}
        self.asked = 0

    def get(self, path: str, query: Any = None) -> Answer:
        self.asked += 1
        assert self.asked < 200, "it asks on and on"
        status, data = self.script[min(self.asked, len(self.script)) - 1]
        return Answer(status, {}, data)

    def post(self, path: str, body: Any, query: Any = None) -> Answer:
        json.dumps(body)
        return self.get(path)

    def close(self) -> None:
        return


@given(script=st.lists(st.tuples(st.sampled_from([200, 200, 200, 400, 404, 422]), answers), min_size=1, max_size=8))
def test_any_answers_make_rows_or_an_error_in_words(script: list[tuple[int, Any]], tmp_path_factory: Any) -> None:
    client: Any = Said(script)
    bamboo = Bamboo("https://acme.bamboohr.com", APIKey("key"), allow=frozenset(), client=client)
    store = PullStore(tmp_path_factory.mktemp("pull") / "store")
    store.begin()
    earlier = Pulled(3, 3, {"firstName": 3}, {"since": NOW.isoformat()})
    try:
        full, pulled = Reader(bamboo, SETTINGS, NOW, TODAY, earlier).pull(store)
    except BambooError:
        store.close()
        return
    store.end({"full": full, "pulled": pulled.as_data()})
    rows = [row for batch in store.batches() for row in batch]
    assert len(rows) == store.rows
    assert all(len(row.cells) == len(MAPPING) for row in rows)
    assert all(cell is None or isinstance(cell, str) for row in rows for cell in row.cells)


@given(st.lists(answers, max_size=4), st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=4))
def test_any_list_of_fields_is_read(listed: list[Any], dataset: Mapping[str, str]) -> None:
    found = account_fields(listed)
    assert len({each.name for each in found}) == len(found)
    assert set(in_dataset(["id", "workEmail"], found, dataset).values()) <= set(dataset)


@given(values)
def test_a_value_is_text_or_nothing(value: Any) -> None:
    found = text(value)
    assert found is None or found.strip()


days = st.none() | st.integers(-400, 400).map(lambda days: (TODAY + timedelta(days=days)).isoformat())


@given(
    hired=days | st.just("0000-00-00") | st.just("soon"),
    left=days,
    status=st.sampled_from(["Active", "Inactive", None]),
)
def test_who_is_here_today(hired: str | None, left: str | None, status: str | None) -> None:
    """Nobody is here before the first day or after the last one, whatever the status says."""
    rows = Rows(SETTINGS, TODAY)
    record = {"hireDate": hired, "terminationDate": left, "status": status, "employeeNumber": "1"}
    row, standing = rows.row(1, "101", record)
    begins, ends = _day(hired), _day(left)
    if begins and begins > TODAY:
        assert standing is Standing.NOT_BEGUN
        assert rows.next_day is not None
        assert rows.next_day > TODAY
    elif ends and ends < TODAY and (begins is None or ends >= begins):
        assert standing is Standing.LEFT
    elif ends and ends >= TODAY:
        assert standing is Standing.HERE
    else:
        assert standing is (Standing.LEFT if status == "Inactive" else Standing.HERE)
    assert row.active is (standing is Standing.HERE)


def _day(value: str | None) -> date | None:
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        return None


@pytest.mark.parametrize(
    ("value", "said"),
    [("", None), ("  ", None), ("0000-00-00", None), (None, None), (7, "7"), (7.0, "7"), (7.5, "7.5"), (True, "true"),
     ([], None), ({"a": 1}, None), (" x", " x"), (float("inf"), "inf")],
)  # fmt: skip
def test_plain_values(value: Any, said: str | None) -> None:
    assert text(value) == said


@pytest.mark.parametrize("value", [float("inf"), "many", None, [], "9" * 5000])
def test_what_is_no_count_is_none(value: Any) -> None:
    assert number(value) is None


@pytest.mark.parametrize(
    "said",
    ["Mon, 99999999999999999999 Jan 2024 00:00:00 GMT", f"Mon, 01 Jan 2024 00:00:00 +{'9' * 20}",
     "Fri, 31 Dec 9999 23:59:59 -1200", "soon"],
)  # fmt: skip
def test_a_clock_that_cannot_be_read_is_none(said: str) -> None:
    assert _date(said) is None


@pytest.mark.parametrize("key", ["1" * 65, "1\x00", "1\ud83d", "1\n"])
def test_what_cannot_be_an_id_is_not_bamboohr(key: str, tmp_path: Path) -> None:
    """A database could not keep anybody under it."""
    fields, dataset = [{"id": 1, "alias": "employeeNumber", "name": "Employee #"}], {"fields": [{"name": "id"}]}
    for script in (
        [(200, fields), (200, dataset), (200, {"data": [{"fields": {"id": key}}]})],
        [(200, fields), (200, {"fields": []}), (200, {"employees": [{"id": key}]})],
    ):
        client: Any = Said(script)
        bamboo = Bamboo("https://acme.bamboohr.com", APIKey("key"), allow=frozenset(), client=client)
        store = PullStore(tmp_path / "store")
        store.begin()
        with pytest.raises(BambooError) as refused:
            Reader(bamboo, SETTINGS, NOW, TODAY).pull(store)
        store.close()
        assert refused.value.code == "not_bamboohr"
    client = Said([(200, {"employees": {key: {}}})])
    with pytest.raises(BambooError):
        Bamboo("https://acme.bamboohr.com", APIKey("key"), allow=frozenset(), client=client).changed(NOW)


def test_a_pull_fills_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "LARGEST", 100_000)
    store, rows = PullStore(tmp_path / "store"), Rows(SETTINGS, TODAY)
    store.begin()
    row, _ = rows.row(1, "101", {"firstName": "J" * 90})

    def fill() -> None:
        for _ in range(10_000):
            store.add(row)

    with pytest.raises(AccountError) as refused:
        fill()
    store.close()
    assert refused.value.code == "too_large"
    assert (tmp_path / "store" / stored.ROWS).stat().st_size <= 100_000


def test_half_a_character_is_kept_for_the_rules(tmp_path: Path) -> None:
    store, rows = PullStore(tmp_path / "store"), Rows(SETTINGS, TODAY)
    store.begin()
    row, _ = rows.row(1, "101", {"firstName": "Jan\ud83d"})
    store.add(row)
    store.end({})
    assert [each for batch in store.batches() for each in batch] == [row]
