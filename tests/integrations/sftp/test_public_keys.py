"""SSH public keys as people paste them: what is read, and what is refused with which reason."""

import contextlib
import subprocess
from pathlib import Path

import asyncssh
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rgapp.integrations.sftp.public_keys import KeyProblem, KeyRejected, read_public_key

ED25519 = asyncssh.generate_private_key("ssh-ed25519", comment="ann@acme")
LINE = ED25519.export_public_key("openssh").decode().strip()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("ssh-ed25519", {}),
        ("ecdsa-sha2-nistp256", {}),
        ("ecdsa-sha2-nistp384", {}),
        ("ecdsa-sha2-nistp521", {}),
        ("ssh-rsa", {"key_size": 2048}),
    ],
)
@pytest.mark.parametrize("form", ["openssh", "rfc4716"])
def test_safe_kinds_are_read_in_the_forms_that_clients_export(kind: str, options: dict[str, int], form: str) -> None:
    made = asyncssh.generate_private_key(kind, **options)
    read = read_public_key(made.export_public_key(form).decode())
    assert (read.kind, read.fingerprint) == (kind, made.get_fingerprint())
    assert asyncssh.import_public_key(read.line).public_data == made.public_data


def test_the_comment_is_kept_apart() -> None:
    read = read_public_key(f"\ufeff  {LINE}\r\n")
    assert read.comment == "ann@acme"
    assert "ann@acme" not in read.line


def test_the_fingerprint_is_what_ssh_keygen_prints(tmp_path: Path) -> None:
    (tmp_path / "key.pub").write_text(LINE)
    printed = subprocess.run(["ssh-keygen", "-lf", tmp_path / "key.pub"], capture_output=True, text=True, check=True)
    assert read_public_key(LINE).fingerprint in printed.stdout


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", KeyProblem.UNREADABLE),
        ("hello", KeyProblem.UNREADABLE),
        ("ssh-ed25519 AAAA", KeyProblem.UNREADABLE),
        ("ssh-ed25519 " + "A" * 30_000, KeyProblem.UNREADABLE),
        (ED25519.export_private_key().decode(), KeyProblem.PRIVATE),
        ("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none", KeyProblem.PRIVATE),
        (f"{LINE}\n{LINE}", KeyProblem.SEVERAL),
        (f'command="ls" {LINE}', KeyProblem.OPTIONS),
        ("ssh-ed25519-cert-v01@openssh.com AAAA", KeyProblem.CERTIFICATE),
        (asyncssh.generate_private_key("ssh-rsa", key_size=1024).export_public_key().decode(), KeyProblem.SHORT_RSA),
        (asyncssh.generate_private_key("ssh-dss").export_public_key().decode(), KeyProblem.WEAK_KIND),
        (asyncssh.generate_private_key("ssh-ed448").export_public_key().decode(), KeyProblem.WEAK_KIND),
    ],
)
def test_what_opens_nothing_is_refused_with_its_reason(text: str, problem: KeyProblem) -> None:
    with pytest.raises(KeyRejected) as refused:
        read_public_key(text)
    assert refused.value.problem is problem


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.text(), st.binary().map(lambda data: "ssh-rsa " + data.hex()), st.text().map(f"{LINE} ".__add__)))
def test_no_text_breaks_the_reader(text: str) -> None:
    with contextlib.suppress(KeyRejected):
        assert read_public_key(text).comment.isprintable()
