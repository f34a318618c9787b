"""A programme with an admin, support staff, an operator and a neighbour."""

from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient

from rgapp.audit.service import COMMAND_LINE
from rgapp.auth.staff import create_staff
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
        admin=member(make, Role.ADMIN, "Ada Admin", acme),
        stranger=member(make, Role.ADMIN, "Olaf Other", other),
        support=member(make, Role.SUPPORT, "Sue Support"),
        operator=member(make, Role.OPERATOR, "Otto Operator"),
    )


def member(make: Factory, role: Role, name: str, *granted: Programme) -> Staff:
    """Make a staff member without a password: hashing one takes longer than most of these tests."""
    email = f"{name.split()[0].lower()}@rewards.example"
    return create_staff(
        make.session, email=email, name=name, role=role, programmes=granted, actor=COMMAND_LINE, now=make.now
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
