"""From a declarative file to a run: applied, listed, and uploaded to where the list says."""

import json
from collections.abc import Callable
from pathlib import Path

import asyncssh
import yaml

from rgapp.models import SyncRun
from tests.sftp.server import Server
from tests.sftp.test_clients import ROWS


def test_a_client_signs_in_with_what_the_list_says(own_server: Callable[..., Server], tmp_path: Path) -> None:
    server = own_server().start()
    key = asyncssh.generate_private_key("ssh-ed25519", comment="payroll")
    (tmp_path / "payroll.pub").write_bytes(key.export_public_key())
    content = {
        "programme": "acme",
        "integrations": [
            {
                "kind": "sftp",
                "name": "Payroll file",
                "published": True,
                "password": {"env": "ACME_SFTP_PASSWORD"},
                "authorized_keys": ["payroll.pub"],
                "full_file": True,
                "mapping": {"membership_no": {"column": "Employee ID"}, "email": {"column": "Mail"}},
            }
        ],
    }
    (tmp_path / "acme.yaml").write_text(yaml.safe_dump(content))
    server.flask("programme", "create", "--name", "Acme", "--slug", "acme", "--contact-email", "hr@acme.example")
    words = ("integration", "apply", str(tmp_path / "acme.yaml"))
    applied = server.run(*words, ACME_SFTP_PASSWORD="only for this test").stdout
    assert "password set, key added (payroll)" in applied
    assert server.run(*words, ACME_SFTP_PASSWORD="only for this test").stdout == "Payroll file: unchanged\n"
    (listed,) = json.loads(server.flask("integration", "list", "--programme", "acme", "--json"))
    urls = listed["urls"]
    assert (urls["host"], urls["port"]) == ("127.0.0.1", str(server.port))
    client = server.client(urls["username"], "only for this test")
    with client.open_sftp().open("people.csv", "wb") as file:
        file.write(ROWS)
    client.close()
    with server.session() as session:
        assert [run.file for run in session.query(SyncRun)] == ["people.csv"]
