"""Where a request may be sent on to."""

from urllib.parse import unquote, urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rgapp.redirects import safe_next

HERE = "https://rewards.example"
HOSTILE = st.text(st.sampled_from("/\\.:@?#%&=\t\r\n\x00 \u2028abcehlopstx25fF"), max_size=40)


@pytest.mark.parametrize(
    "value",
    [
        "/",
        "/manager/",
        "/users/?q=jane&status=active",
        "/users/?q=a%20b",
        "/p/acme/details#history",
        "/p/acme/%C3%A9t%C3%A9",
    ],
)
def test_a_path_of_ours_is_kept_as_it_is(value: str) -> None:
    assert safe_next(value) == value


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "users",
        "https://evil.example/",
        "http:/evil.example",
        "javascript:alert(1)",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/%5cevil.example",
        "/%255cevil.example",
        "/%2fevil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/%0d%0aSet-Cookie:x=1",
        "/\x00",
        "/../..//evil.example",
        "/./x",
        "/%2e%2e/x",
        " /users/",
        "/users/ x",
        "/" + "a" * 2000,
        "/\u2028x",
        "//[evil",
    ],
)
def test_anything_else_is_dropped(value: str | None) -> None:
    assert safe_next(value) == ""


@given(st.one_of(HOSTILE, st.text(max_size=60)).map(lambda text: text if text.startswith("/") else f"/{text}"))
@example("/%2f%2fevil.example")
def test_no_input_leaves_this_site(value: str) -> None:
    """Read as a browser reads it: backslashes are slashes, tabs and line ends are dropped."""
    kept = safe_next(value)
    assert kept in ("", value)
    if kept:
        read = "".join(character for character in kept if character not in "\t\r\n").replace("\\", "/")
        for form in (read, unquote(read)):
            target = urlsplit(urljoin(HERE, form))
            assert (target.scheme, target.netloc) == ("https", "rewards.example")
        assert all(character.isprintable() for character in kept)
