"""One code given by many browsers at once, on several web processes: one of them gets in."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from flask_migrate import upgrade
from pyotp import TOTP
from sqlalchemy import func, select

from rgapp import create_app
from rgapp.auth import second_factor
from rgapp.auth import staff as accounts
from rgapp.clock import utcnow
from rgapp.extensions import db
from rgapp.models import StaffSession
from tests.conftest import NOW
from tests.factories import PASSWORD, Factory
from tests.ports import free_port
from tests.security.browsers import Visitor
from tests.sso.test_race import database, environment_of, serving

AT_ONCE = 8
LOGIN, CODE = "/manager/login", "/manager/login/code"
__all__ = ["database"]


def enrolled(environment: dict[str, str], template: Path | None) -> tuple[TOTP, list[str]]:
    """Make a staff member with a second step; returns the app and the recovery codes."""
    app = create_app(environment)
    with app.app_context():
        if template is None:
            upgrade()
        else:
            shutil.copy(template, str(db.engine.url.database))
        session, sealer = db.session(), app.extensions["sealer"]
        make = Factory(session, NOW)
        person = make.staff(make.programme("acme"), email="hr@acme.example")
        token = make.staff_session(person)
        found = accounts.staff_of_session(session, token, now=NOW)
        assert found is not None
        second_factor.begin(session, person, found[1], sealer, now=NOW)
        begun = second_factor.enrolment_of(session, person, found[1], sealer, now=NOW)
        assert begun is not None
        phone = TOTP(begun.secret)
        codes = second_factor.confirm(session, person, found[1], sealer, phone.at(NOW), now=NOW)
        assert codes is not None
        accounts.close_session(session, token)
        session.commit()
        db.engine.dispose()
    return phone, codes


def test_a_code_raced_on_several_processes_opens_one_session(
    tmp_path: Path, database: str | None, migrated: Path
) -> None:
    port = free_port()
    environment = environment_of(tmp_path, port, database) | {"RGAPP_TRUSTED_PROXIES": "1"}
    phone, recovery = enrolled(environment, migrated if database is None else None)

    def half_way(number: int) -> Visitor:
        """Return a browser that gave the right password."""
        visitor = Visitor(port, headers={"X-Forwarded-For": f"192.0.2.{number}"})
        fields = {"email": "hr@acme.example", "password": PASSWORD}
        assert visitor.post(LOGIN, fields, form=LOGIN).location == CODE
        return visitor

    with serving(environment, port, tmp_path / "log"), ThreadPoolExecutor(AT_ONCE) as pool:
        for code in (recovery[0], phone.at(utcnow())):
            browsers = list(pool.map(half_way, range(AT_ONCE)))
            answers = list(pool.map(lambda browser, code=code: browser.post(CODE, {"code": code}, form=CODE), browsers))
            assert sorted(answer.status for answer in answers) == [200] * (AT_ONCE - 1) + [303]
            assert sum("rg_staff" in browser.cookies for browser in browsers) == 1
    with create_app(environment).app_context():
        assert db.session.scalar(select(func.count()).select_from(StaffSession)) == 2
        db.session.remove()
        db.engine.dispose()
    assert "Traceback" not in (tmp_path / "log").read_text()
