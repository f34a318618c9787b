"""A kind that has no pages yet is set up at the command line, and breaks nobody's dashboard."""

import pytest
from flask.testing import FlaskClient

from rgapp.dashboard import registry
from rgapp.models import Programme
from tests.factories import Factory

MAPPING = {"membership_no": {"column": "Employee ID"}, "email": {"column": "Mail"}}


def test_it_is_not_shown_and_not_offered(
    browser: FlaskClient, acme: Programme, make: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(registry.PAGES, "sftp", raising=False)
    made = make.integration(acme, {"mapping": MAPPING}, kind="sftp", provider="sftp", name="Payroll file")
    root = "/manager/acme/integrations"
    overview, catalogue = browser.get(root), browser.get(f"{root}/explore")
    assert (overview.status_code, catalogue.status_code) == (200, 200)
    assert "Payroll file" not in overview.text
    assert "Your HR system uploads" not in catalogue.text
    assert browser.get(f"{root}/{made.id}/").status_code == 404
    assert browser.post(f"{root}/new/sftp").status_code == 404
