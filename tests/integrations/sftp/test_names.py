"""What a client's path means: never anything outside its root."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rgapp.integrations.sftp.names import BadName, NameProblem, check, name_of, waits


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (b"", ""),
        (b".", ""),
        (b"/", ""),
        (b"..", ""),
        (b"/../../..", ""),
        (b"people.csv", "people.csv"),
        (b"/people.csv", "people.csv"),
        (b"./people.csv", "people.csv"),
        (b"//people.csv/", "people.csv"),
        (b"../../people.csv", "people.csv"),
        (b"/upload/../people.csv", "people.csv"),
        ("Löhne 2026 – März.csv".encode(), "Löhne 2026 – März.csv"),
        (b"...", "..."),
        (b"-rf", "-rf"),
    ],
)
def test_a_path_names_a_file_of_the_root(path: bytes, name: str) -> None:
    assert name_of(path) == name


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        (b"/../../etc/passwd", NameProblem.FOLDER),
        (b"upload/people.csv", NameProblem.FOLDER),
        (b"\xff.csv", NameProblem.NOT_UTF8),
        (b"people\0.csv", NameProblem.CHARACTERS),
        (b"people\n.csv", NameProblem.CHARACTERS),
        (b"..\\..\\people.csv", NameProblem.CHARACTERS),
        ("people\u202evsc.exe".encode(), NameProblem.CHARACTERS),
        (b"x" * 201, NameProblem.TOO_LONG),
        (("é" * 101).encode(), NameProblem.TOO_LONG),
        (b"./" * 4000, NameProblem.TOO_LONG),
    ],
)
def test_what_cannot_be_here_is_refused(path: bytes, problem: NameProblem) -> None:
    with pytest.raises(BadName) as refused:
        name_of(path)
    assert refused.value.problem is problem


PIECES = st.sampled_from(
    [b"..", b".", b"/", b"//", b"\\", b"\0", b"a", b"people.csv", b"\xc3\xa9", b"\xff", b"~", b"%2e"]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.binary(max_size=60), st.lists(PIECES, max_size=12).map(b"".join)))
@example(b"/..\xc0\xaf..")
def test_no_path_leads_out(path: bytes) -> None:
    try:
        name = name_of(path)
    except BadName:
        return
    assert name not in {".", ".."}
    assert not set(name) & {"/", "\\", "\0"}
    assert len(name.encode()) <= 200
    assert name == "" or check(name) == name
    assert name_of(b"/" + name.encode()) == name


@pytest.mark.parametrize(
    "name", [".people.csv", "a.TMP", "a.csv.part", "a.partial", "a.csv.filepart", "a.upload", ".tmp"]
)
def test_names_that_wait_for_their_rename(name: str) -> None:
    assert waits(name)


@pytest.mark.parametrize("name", ["people.csv", "tmp", "part.csv", "a.tmp.csv", "people.csv.gpg"])
def test_names_that_count(name: str) -> None:
    assert not waits(name)
