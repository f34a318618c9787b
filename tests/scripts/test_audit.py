"""The audit of what is installed: it fails on a known advisory and never takes silence for good news."""

import runpy
from typing import Any

import pytest

from tests.journeys.live import ROOT

CLEAN = {"name": "a", "version": "1", "vulns": []}
BAD = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["2.1"]}]}
UNKNOWN = {"name": "c", "skip_reason": "Dependency not found on PyPI and could not be audited: c (3)"}


@pytest.fixture
def audit(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the script's names."""
    return runpy.run_path(str(ROOT / "scripts" / "audit.py"))


def run(audit: dict[str, Any], monkeypatch: pytest.MonkeyPatch, **answers: Any) -> int:
    """Run it with these packages pinned and these answers of the services."""
    found = audit["main"].__globals__
    monkeypatch.setitem(found, "pins", lambda: {"a": "1", "b": "2"})
    monkeypatch.setitem(found, "unfaithful", lambda pinned: answers.get("unfaithful", []))
    monkeypatch.setitem(found, "conflicts", lambda: answers.get("conflicts", []))
    reports = {service: answers.get(service, {"dependencies": []}) for service in ("pypi", "osv")}
    monkeypatch.setitem(found, "advisories", lambda service: audit["read_report"](reports[service]))
    return int(audit["main"]())


def test_a_known_advisory_fails(
    audit: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(audit, monkeypatch, pypi={"dependencies": [CLEAN, BAD]}) == 1
    assert "b 2: PYSEC-2026-1, fixed in 2.1" in capsys.readouterr().out


def test_no_known_advisory_is_good(audit: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(audit, monkeypatch, pypi={"dependencies": [CLEAN, CLEAN | {"name": "b"}]}) == 0


def test_the_second_service_is_asked_where_the_first_knows_nothing(
    audit: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = {"dependencies": [UNKNOWN, UNKNOWN]}
    assert run(audit, monkeypatch, pypi=unknown, osv={"dependencies": [CLEAN, BAD]}) == 1


def test_packages_that_nobody_looked_up_are_not_called_good(
    audit: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(audit, monkeypatch, pypi={"dependencies": [CLEAN, UNKNOWN]}) == 3
    assert "no advisory service answers for 1 of 2 packages" in capsys.readouterr().out


@pytest.mark.parametrize("problem", ["unfaithful", "conflicts"])
def test_what_does_not_fit_fails(audit: dict[str, Any], monkeypatch: pytest.MonkeyPatch, problem: str) -> None:
    answers: dict[str, Any] = {problem: ["a is pinned to 1 and installed as 2"]}
    assert run(audit, monkeypatch, pypi={"dependencies": [CLEAN, CLEAN]}, **answers) == 1


def test_every_line_of_the_lists_is_pinned(audit: dict[str, Any]) -> None:
    assert len(audit["pins"]()) > 60
