"""scim2-tester against the whole application: what a conforming service has to do, found out by the schemas alone."""

from collections.abc import Callable

import pytest
from flask import Flask
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import Status, check_server

from rgapp.models import Integration, Programme
from tests.factories import Factory
from tests.scim.conftest import SCIMClient

# The tester's users are made of random words: each has a userName and, where the schema asks for them, addresses.


@pytest.fixture
def integration(make: Factory, acme: Programme) -> Integration:
    """Return an integration that takes the tester's users."""
    mapping = {"membership_no": {"attribute": "userName"}, "email": {"attribute": "emails.value"}}
    return make.integration(acme, {"mapping": mapping}, kind="scim", provider="scim", name="SCIM")


def test_the_service_passes_the_tester(
    app: Flask, integration: Integration, make_client: Callable[[Integration], SCIMClient]
) -> None:
    scim = make_client(integration)
    client = WSGISCIMClient(
        app, base_url=f"http://127.0.0.1:8000{scim.base}", environ={"HTTP_AUTHORIZATION": f"Bearer {scim.token}"}
    )
    results = check_server(client)
    failed = [result for result in results if result.status in {Status.ERROR, Status.CRITICAL}]
    assert not failed, "\n".join(f"{each.title}: {each.reason} {each.data}"[:300] for each in failed)
    assert len(results) > 50
