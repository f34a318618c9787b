"""Each minute's round: what is none of ours is left alone, and one account's trouble keeps nobody waiting."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from rgapp.clock import utcnow
from rgapp.integrations.sftp import accounts
from rgapp.integrations.sftp.receiving import receive
from rgapp.integrations.sftp.spool import Folder
from rgapp.models import SFTPFile
from rgapp.sftp import services as module
from rgapp.sftp.limits import Quota
from rgapp.sftp.services import Services
from tests import loops
from tests.factories import Factory
from tests.provisioning.conftest import ACTOR
from tests.sftp.test_desk import begin

MAPPING = {"membership_no": {"column": "Employee ID"}, "email": {"column": "Mail"}}


@pytest.fixture
def look(app: Flask, session: Session, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], None]:
    """Return a way to look after the spool once."""

    def once() -> None:
        session.commit()

        async def run() -> None:
            made = Services(app, app.config["SPOOL"], Quota(1000, 10, 1_000_000), receive)
            try:
                await made.round(now=utcnow().timestamp() + 10_000)
            finally:
                await made.close()

        loops.run(run())
        session.expire_all()

    app.config["SPOOL"] = tmp_path_factory.mktemp("spool")
    return once


def test_a_file_of_another_server_becomes_a_run(
    app: Flask, session: Session, make: Factory, look: Callable[[], None]
) -> None:
    live = make.integration(make.programme("acme"), {"mapping": MAPPING}, kind="sftp", provider="sftp", name="Payroll")
    account = accounts.of_integration(session, live)
    assert account is not None
    folder = app.config["SPOOL"] / account.username / "files"
    folder.mkdir(parents=True)
    (folder / "people.csv").write_bytes(b"rows")
    look()
    look()
    (file,) = session.query(SFTPFile).all()
    assert (file.name, file.integration_id, file.run_id is not None) == ("people.csv", live.id, True)


def test_what_belongs_to_nobody_is_left_alone(app: Flask, session: Session, look: Callable[[], None]) -> None:
    for name in ("nobody-123456", "lost+found"):
        (app.config["SPOOL"] / name).mkdir()
        (app.config["SPOOL"] / name / "people.csv").write_bytes(b"rows")
    (app.config["SPOOL"] / ".rgapp" / "odd name").mkdir(parents=True)
    look()
    assert (app.config["SPOOL"] / "nobody-123456" / "people.csv").exists()
    assert (app.config["SPOOL"] / "lost+found" / "people.csv").exists()
    assert session.query(SFTPFile).count() == 0


def test_trouble_with_one_account_does_not_keep_the_others_waiting(
    app: Flask, session: Session, make: Factory, look: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    programme, names = make.programme("acme"), []
    for name in ("Payroll", "Pensions"):
        made = make.integration(programme, {"mapping": MAPPING}, kind="sftp", provider="sftp", name=name)
        account = accounts.ensure(session, made, actor=ACTOR, now=utcnow())
        names.append(account.username)
        desk = module.Desk(Folder(app.config["SPOOL"], account.username), Quota(1000, 10, 1_000_000))
        desk.close(begin(desk))
    sweep = module.Desk.sweep

    def fails_for_one(self: module.Desk, *, before: float) -> int:
        if self.folder.username == min(names):
            raise OSError(5, "Input/output error")
        return sweep(self, before=before)

    monkeypatch.setattr(module.Desk, "sweep", fails_for_one)
    look()
    assert session.query(SFTPFile).count() == 1
