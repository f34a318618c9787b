"""A programme with an admin, support staff, an operator and a neighbour, and people in it."""

from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient

from rgapp.models import Programme, Role, Staff
from tests.factories import Factory
from tests.staff_client import browser_of


@dataclass
class Platform:
    """Two programmes and who works for them."""

    acme: Programme
    other: Programme
    admin: Staff
    stranger: Staff
    support: Staff
    operator: Staff


@pytest.fixture
def platform(make: Factory) -> Platform:
    """Return two programmes with their staff."""
    acme = make.programme("acme", name="Acme Rewards", timezone="Europe/London")
    other = make.programme("other", name="Other Rewards")
    return Platform(
        acme=acme,
        other=other,
        admin=make.staff(acme, name="Ada Admin"),
        stranger=make.staff(other, name="Olaf Other"),
        support=make.staff(role=Role.SUPPORT, name="Sue Support"),
        operator=make.staff(role=Role.OPERATOR, name="Otto Operator"),
    )


@pytest.fixture
def admin(app: Flask, platform: Platform) -> FlaskClient:
    """Return the browser of Acme's admin."""
    return browser_of(app, platform.admin)


@pytest.fixture
def stranger(app: Flask, platform: Platform) -> FlaskClient:
    """Return the browser of the other programme's admin."""
    return browser_of(app, platform.stranger)


@pytest.fixture
def support(app: Flask, platform: Platform) -> FlaskClient:
    """Return the browser of support staff."""
    return browser_of(app, platform.support)


@pytest.fixture
def operator(app: Flask, platform: Platform) -> FlaskClient:
    """Return the browser of an operator."""
    return browser_of(app, platform.operator)
