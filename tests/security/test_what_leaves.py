"""What leaves the machine: a journey on real processes, and what logs, files, pages and exports hold of it."""

import base64
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from rgapp import create_app
from rgapp.auth.passwords import new_password
from rgapp.demo.bamboohr.service import Simulated
from rgapp.demo.bamboohr.service import running as running_bamboohr
from rgapp.demo.responses import idp_metadata, parse_authn_request
from rgapp.extensions import db
from tests.conftest import NOW
from tests.factories import PASSWORD, Factory
from tests.mailbox import Mailbox, mail_server
from tests.ports import free_port
from tests.security.browsers import Answer, Visitor
from tests.sso.conftest import IDP_ENTITY_ID, JANE, SSO_URL, Door, saml_settings
from tests.sso.test_race import ROOT, answers, environment_of

LOUD = Path(__file__).with_name("loud.py")
WAIT_SECONDS = 60
NEW_PASSWORD = "seventeen otters paint"
TYPED_WRONG = "my bank password 4711"
DETAILS = {
    "first name": "Jane",
    "last name": "Carter-Quill",
    "membership no": "E1001",
    "e-mail": "jane.carter@acme.example",
    "date of birth, as sent": "03/04/1990",
    "date of birth, as stored": "1990-04-03",
}


@dataclass
class Journey:
    """Everything that was said on the way: secrets by their name, pages by their address, logs, and the folder."""

    folder: Path
    secrets: dict[str, str] = field(default_factory=dict)
    pages: dict[str, Answer] = field(default_factory=dict)
    export: str = ""

    @property
    def logs(self) -> str:
        """Return what all processes logged."""
        return "".join(file.read_text() for file in sorted(self.folder.glob("*.log")))

    def stored(self) -> bytes:
        """Return every byte that the databases hold, free pages included."""
        return b"".join(file.read_bytes() for file in sorted((self.folder / "instance").glob("*.db*")))


@contextmanager
def running(environment: dict[str, str], log: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program of the installation with all its loggers at DEBUG."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RGAPP_")}
    place = {"PYTHONPATH": str(ROOT), "FLASK_APP": "wsgi:app", "RGAPP_LOG_LEVEL": "debug"}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, LOUD, *words], cwd=ROOT, env=kept | place | environment, stdout=out, stderr=out
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


def wait_for(condition: Callable[[], object], what: Path) -> None:
    """Wait until something is so, with a bound."""
    until = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < until, what.read_text()
        time.sleep(0.05)


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory, idp_key: tuple[str, str], migrated: Path) -> Journey:
    """Return what a day of an installation left behind."""
    folder, port = tmp_path_factory.mktemp("journey"), free_port()
    made = Journey(folder)
    with mail_server() as mailbox, running_bamboohr(5) as bamboo:
        environment = environment_of(folder, port, None) | {
            "RGAPP_SMTP_URL": mailbox.url,
            "RGAPP_OUTBOUND_ALLOW": bamboo.origin,
            "RGAPP_BAMBOOHR_URL": bamboo.origin,
        }
        door, invite = set_up(environment, idp_key, migrated)
        made.secrets |= {name: environment[name] for name in ("RGAPP_SECRET_KEY", "RGAPP_ENCRYPTION_KEYS")}
        web, worker = folder / "web.log", folder / "worker.log"
        with (
            running(environment, web, "gunicorn", "--no-control-socket", "wsgi:app"),
            running(environment, worker, "flask", "worker"),
        ):
            wait_for(lambda: answers(port), web)
            Day(made, door, port, mailbox, worker, bamboo).spend(invite)
    return made


def set_up(environment: dict[str, str], idp_key: tuple[str, str], migrated: Path) -> tuple[Door, str]:
    """Make a programme with passwords, its connection, an admin and Joe."""
    app = create_app(environment)
    with app.app_context():
        shutil.copy(migrated, str(db.engine.url.database))
        Path(str(db.engine.url.database)).chmod(0o600)
        make = Factory(db.session(), NOW)
        programme = make.programme("acme", password_sign_in=True)
        make.staff(programme, email="hr@acme.example", name="Hannah")
        joe = make.user(programme, email="joe@acme.example", membership_no="E2002")
        joe.password_hash = new_password(PASSWORD).hashed
        settings = saml_settings(idp_key[1], idp_initiated=True)
        integration = make.integration(programme, settings)
        door = Door(programme, integration, idp_key, base_url=environment["RGAPP_BASE_URL"])
        door.attributes = JANE | {"sn": ["Carter-Quill"]}
        db.session.commit()
        address = f"/manager/acme/integrations/{integration.id}"
        assert door.root
        db.session.expunge_all()
        db.engine.dispose()
    return door, address


@dataclass
class Day:
    """Who does what on that day."""

    made: Journey
    door: Door
    port: int
    mailbox: Mailbox
    worker: Path
    bamboo: Simulated

    def spend(self, integration: str) -> None:
        """Let everybody do what they do."""
        self.employee()
        self.password()
        self.staff(integration)
        self.strangers()

    def keep(self, name: str, answer: Answer) -> Answer:
        """Remember a page, and the one-time values on it."""
        self.made.pages[name] = answer
        for number, token in enumerate(re.findall(r'name="csrf_token"[^>]* value="([^"]+)"', answer.text)):
            self.made.secrets[f"form token {number} of {name}"] = token
        return answer

    def visitor(self, name: str) -> Visitor:
        """Return a browser whose cookies are secrets."""
        visitor = Visitor(self.port)
        self._visitors.append((name, visitor))
        return visitor

    def __post_init__(self) -> None:
        self._visitors: list[tuple[str, Visitor]] = []

    def note_cookies(self) -> None:
        """Remember the value of each cookie that a browser was ever given."""
        for name, visitor in self._visitors:
            for number, value in enumerate(sorted(visitor.seen)):
                if len(value) > 8:  # The programme used last is no secret.
                    self.made.secrets[f"cookie {number} of {name}"] = value

    def bring(self, visitor: Visitor, name: str, start: str = "", **attributes: list[str] | None) -> Answer:
        """Sign in at the identity provider, or be refused."""
        started = visitor.get(start or f"{self.door.root}/login")
        query = urlsplit(started.location).query
        relay_state = parse_qs(query)["RelayState"][0]
        sent = {key: value for key, value in (self.door.attributes | attributes).items() if value is not None}
        response = self.door.response(parse_authn_request(query).id, attributes=sent)
        xml = base64.b64decode(response).decode()
        signature = re.search(r"SignatureValue>([^<]{40})", xml)
        assertion = re.search(r'Assertion [^>]*ID="([^"]+)"', xml)
        assert signature is not None
        assert assertion is not None
        self.made.secrets |= {
            f"response of {name}, base64": response[60:120],
            f"its end of {name}": response[-80:-20],
            f"signature of {name}": signature[1].strip()[:30],
            f"assertion of {name}, XML": "<saml:Assertion",
            f"RelayState of {name}": relay_state,
        }
        return self.keep(
            name, visitor.post(f"{self.door.root}/acs", {"SAMLResponse": response, "RelayState": relay_state})
        )

    def employee(self) -> None:
        """Jane signs in, is refused without her address, brings nonsense, and signs out."""
        jane = self.visitor("jane")
        assert self.bring(jane, "good").status == 303
        assert self.keep("her home", jane.get("/p/acme/")).status == 200
        assert self.bring(self.visitor("jane elsewhere"), "refused", mail=None).status == 403
        nonsense = {"SAMLResponse": base64.b64encode(b"<a>4111111111111111</a>").decode(), "RelayState": "x"}
        assert self.keep("nonsense", Visitor(self.port).post(f"{self.door.root}/acs", nonsense)).status == 403
        self.made.secrets["nonsense"] = "4111111111111111"
        assert jane.post("/p/acme/logout", {}, form="/p/acme/").status == 303
        self.note_cookies()

    def password(self) -> None:
        """Joe mistypes, forgets, gets a link, and sets another one."""
        joe, page = self.visitor("joe"), "/p/acme/login"
        wrong = {"email": "joe@acme.example", "password": TYPED_WRONG}
        assert self.keep("wrong password", joe.post(page, wrong, form=page)).status == 200
        forgotten = "/p/acme/password/forgotten"
        assert joe.post(forgotten, {"email": "joe@acme.example"}, form=forgotten).status == 303
        wait_for(lambda: any(mail["To"] == "joe@acme.example" for mail in self.mailbox.messages), self.worker)
        mail = next(mail for mail in self.mailbox.messages if mail["To"] == "joe@acme.example")
        body = mail.get_body(("plain",))
        assert body is not None
        link = re.search(r"/p/acme/password/([\w-]{40,})", body.get_content())
        assert link is not None
        self.made.secrets["reset link"] = link[1]
        fields = {"password": NEW_PASSWORD, "again": NEW_PASSWORD}
        assert self.keep("new password", joe.post(link[0], fields, form=link[0])).status == 303
        assert self.keep("used link", Visitor(self.port).get(link[0])).status == 410
        self.made.secrets |= {"new password": NEW_PASSWORD, "wrong password": TYPED_WRONG, "password": PASSWORD}
        self.note_cookies()

    def staff(self, integration: str) -> None:
        """Hannah signs in, uploads metadata, tests with a real sign-in, and takes the list of users."""
        hannah = self.visitor("hannah")
        wrong = {"email": "hr@acme.example", "password": TYPED_WRONG}
        assert hannah.post("/manager/login", wrong, form="/manager/login").status == 200
        right = wrong | {"password": PASSWORD}
        assert hannah.post("/manager/login", right, form="/manager/login").status == 303
        metadata = idp_metadata(entity_id=IDP_ENTITY_ID, sso_url=SSO_URL, certificates=[self.door.key[1]])
        page = f"{integration}/setup/initial"
        fields = {"way": "file", "name": "Okta", "metadata_file": ("metadata.xml", metadata)}
        assert self.keep("metadata", hannah.upload(page, fields, form=page)).status == 200
        tested = self.bring(hannah, "test", f"{self.door.root}/test")
        assert tested.status == 303
        assert self.keep("test result", hannah.get(tested.location.partition("#")[0])).status == 200
        exported = self.keep("export", hannah.get("/users/export.csv"))
        assert exported.status == 200
        self.made.export = exported.text
        self.pulls(hannah)
        self.note_cookies()

    def pulls(self, hannah: Visitor) -> None:
        """She connects BambooHR by a key, then by a consent, publishes, and syncs."""
        key, door = "the-key-of-a-day-4f1c", self.bamboo.door
        self.bamboo.do(keys=[key])
        catalogue = "/manager/acme/integrations/explore"
        connect = hannah.post("/manager/acme/integrations/new/bamboohr", {}, form=catalogue).location
        base = connect.removesuffix("/bamboohr/connect")
        usual = {"name": "BambooHR", "subdomain": "acme"}
        by_key = usual | {"method": "api_key", "api_key": key}
        assert hannah.post(connect, by_key, form=connect).location.endswith("/pull/mapping")
        assert "010001" in self.keep("mapping", hannah.get(f"{base}/pull/mapping")).text
        application = {"client_id": door.client_id, "client_secret": door.client_secret}
        hannah.post(connect, usual | {"method": "oauth"} | application, form=connect)
        self.keep("connect", hannah.get(connect))
        away = hannah.post(f"{base}/bamboohr/consent", {}, form=connect).location
        asked = parse_qs(urlsplit(away).query)
        code, state = door.code(asked["redirect_uri"][0]), asked["state"][0]
        back = hannah.get(f"{base}/bamboohr/consented?code={code}&state={state}")
        assert back.location.endswith("/pull/mapping")
        review = f"{base}/setup/review"
        assert hannah.post(review, {"without_test": "y"}, form=review).status == 303
        run = hannah.post(f"{base}/pull/now", {}, form=review).location
        wait_for(lambda: "Applied" in hannah.get(run).text, self.worker)
        self.keep("run", hannah.get(run))
        tokens = [*door.access, *(token for token in door.refresh if token)]
        self.made.secrets |= {"API key": key, "client secret": door.client_secret, "code": code, "state": state}
        self.made.secrets |= {f"token {number} of BambooHR": token for number, token in enumerate(tokens)}

    def strangers(self) -> None:
        """Somebody looks for holes."""
        stranger = Visitor(self.port)
        for address in ("/nowhere", "/manager/acme/settings", "/p/acme/password/" + "x" * 43, "/metrics"):
            self.keep(address, stranger.get(address))
        self.keep("no token", stranger.post("/p/acme/login", {"email": "joe@acme.example", "password": TYPED_WRONG}))
        self.keep("wrong method", stranger.request("PUT", f"{self.door.root}/acs"))


def held(text: str, secrets: dict[str, str]) -> list[str]:
    """Return the names of the secrets that a text holds."""
    return [name for name, value in secrets.items() if value in text]


def test_the_logs_hold_no_secret_and_nobody(journey: Journey) -> None:
    logs = journey.logs
    assert "/acs" in logs  # They do log.
    assert "SELECT" in logs
    assert held(logs, journey.secrets | DETAILS | {"joe": "joe@acme", "hr": "hr@acme"}) == []
    assert "Traceback" not in logs


def test_the_databases_keep_no_token_no_password_and_no_assertion(journey: Journey) -> None:
    """Every byte of every file, so whoever steals one signs in as nobody."""
    stored = journey.stored()
    assert b"Carter-Quill" in stored  # They are the right files.
    assert [name for name, value in journey.secrets.items() if value.encode() in stored] == []


def test_no_page_shows_a_secret_of_another_request(journey: Journey) -> None:
    for name, answer in journey.pages.items():
        own = {secret: value for secret, value in journey.secrets.items() if not secret.startswith("form token")}
        assert held(answer.text, own) == [], name


@pytest.mark.parametrize(
    "page", ["refused", "nonsense", "used link", "/nowhere", "/manager/acme/settings", "no token", "wrong method"]
)
def test_pages_of_refusals_and_errors_name_nobody(journey: Journey, page: str) -> None:
    assert held(journey.pages[page].text, DETAILS | {"joe": "joe@acme"}) == []


def test_the_sign_in_itself_leads_on_without_a_word(journey: Journey) -> None:
    good = journey.pages["good"]
    assert held(good.text + good.location, DETAILS) == []


def test_an_export_has_its_columns_and_no_other(journey: Journey) -> None:
    head, *rows = journey.export.strip().splitlines()
    assert head.count(",") == 8
    assert len(rows) == 2
    assert "argon2" not in journey.export


def test_the_files_of_an_installation_are_its_owners_alone(journey: Journey) -> None:
    instance = journey.folder / "instance"
    files = [path for path in instance.rglob("*") if path.is_file()]
    assert {"rgapp.db", "limits.db", "queue.db"} <= {path.name for path in files}
    assert [path.name for path in files if path.stat().st_mode & 0o077] == []
    assert instance.stat().st_mode & 0o077 == 0
