"""Lies about where we are, and redirects that lead elsewhere."""

from urllib.parse import unquote, urljoin, urlsplit

import ada_url
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from rgapp import create_app
from rgapp.redirects import programme_path, safe_next
from tests.conftest import ENVIRONMENT
from tests.sso.conftest import Door

HERE = "https://rewards.example"
LIES = {
    "Host": "evil.example",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "gopher",
    "X-Forwarded-Port": "1",
    "X-Forwarded-Prefix": "/evil",
    "Forwarded": "host=evil.example;proto=gopher",
    "X-Original-URL": "/manager/",
}


@pytest.mark.parametrize(
    "path", ["/p/acme", "/p/acme//details", "/p//evil.example", "//evil.example/p/acme", "/p/acme/"]
)
def test_a_redirect_names_no_host(door: Door, client: FlaskClient, path: str) -> None:
    """Behind a TLS proxy the request says http and an inner name; in front of one it says what the sender likes."""
    answer = client.get(path, headers=LIES)
    assert answer.status_code in {301, 302, 308}
    assert answer.location.startswith("/")
    assert not answer.location.startswith("//")


def test_lies_about_the_host_change_no_address_of_ours(door: Door, client: FlaskClient) -> None:
    for path in (f"{door.root}/metadata", f"{door.root}/login", "/p/acme/login", "/manager/login", "/"):
        answer = client.get(path, headers=LIES)
        assert "evil.example" not in answer.text + str(answer.headers), path
        assert "gopher" not in answer.text + str(answer.headers), path


def test_a_response_made_for_the_lied_host_is_refused(door: Door, client: FlaskClient) -> None:
    request_id, relay_state = door.start(client)
    door.base_url = "http://evil.example"
    data = {"SAMLResponse": door.response(request_id), "RelayState": relay_state}
    assert client.post(f"{door.root}/acs", data=data, headers=LIES).status_code == 403


def test_forwarded_addresses_count_only_from_our_own_proxies(tmp_path: object) -> None:
    def seen(trusted: str, chain: str) -> str:
        app = create_app(ENVIRONMENT | {"INSTANCE": f"{tmp_path}", "RGAPP_TRUSTED_PROXIES": trusted})
        found: list[str] = []

        @app.before_request
        def note() -> None:
            from flask import request

            found.append(request.remote_addr or "")

        app.test_client().get("/healthz", headers={"X-Forwarded-For": chain}, environ_base={"REMOTE_ADDR": "10.0.0.9"})
        return found[0]

    assert seen("0", "1.1.1.1") == "10.0.0.9"
    assert seen("1", "6.6.6.6, 1.1.1.1") == "1.1.1.1"


@pytest.mark.parametrize("peer", ["203.0.113.7", "", "not an address"])
def test_metrics_are_for_loopback(app: Flask, peer: str) -> None:
    assert app.test_client().get("/metrics", environ_base={"REMOTE_ADDR": peer}).status_code == 404


def test_an_attacker_with_a_network_has_one_limit(app: Flask) -> None:
    """Every home has a /64: who changes the address with each try must not start anew each time."""
    from rgapp.extensions import client_network

    def key(address: str) -> str:
        with app.test_request_context(environ_base={"REMOTE_ADDR": address}):
            return client_network()

    assert key("2001:db8:1:2::1") == key("2001:db8:1:2:ffff::9")
    assert key("2001:db8:1:2::1") != key("2001:db8:1:3::1")
    assert key("192.0.2.1") != key("192.0.2.2")
    assert key("::ffff:192.0.2.1") == key("192.0.2.1")
    assert key("nonsense") == "nonsense"


@pytest.mark.parametrize(
    ("written", "meant"), [("192.0.2.1:50123", "192.0.2.1"), ("[2001:db8:1:2::1]:50123", "2001:db8:1:2::/64")]
)
def test_a_proxy_that_adds_the_port_gives_nobody_a_limit_for_each_connection(
    tmp_path: object, written: str, meant: str
) -> None:
    from rgapp.extensions import client_network

    app = create_app(ENVIRONMENT | {"INSTANCE": f"{tmp_path}", "RGAPP_TRUSTED_PROXIES": "1"})
    found: list[str] = []
    app.before_request(lambda: found.append(client_network()))
    app.test_client().get("/healthz", headers={"X-Forwarded-For": written})
    assert found == [meant]


ODD = st.text(st.sampled_from("/\\.%25fFeE2cCpacme:@?#&=;\t\n\r\0 \u2028\uff0f\u3002evil.example"), max_size=40)


@given(st.one_of(ODD, ODD.map(lambda tail: f"/p/acme/{tail}"), ODD.map(lambda tail: f"/{tail}"), st.text()))
def test_no_next_leaves_the_programme(value: str) -> None:
    """Property: what is accepted is a path of this programme for a browser, whatever it decodes."""
    path = programme_path("acme", value, base_url="https://rewards.example")
    if not path:
        return
    seen = urlsplit(urljoin("https://rewards.example/sso/x/acs", path.replace("\\", "/")))
    assert (seen.scheme, seen.netloc) == ("https", "rewards.example")
    for form in (seen.path, unquote(seen.path)):
        assert urlsplit(urljoin("https://rewards.example/", form)).path.startswith("/p/acme/")
    assert path.isprintable()
    assert safe_next(path) == path


# What browsers make of an address is written in the WHATWG URL standard; this is a parser of it, not of RFC 3986.
PIECES = st.sampled_from(
    [
        *"/\\.:@?#&=%;,~ \t\n\r\0\x0b\x7f\x85\u2028\ufeff\uff0f\u2215\u3002\u202e",
        *("//", "/\\", "\\\\", "..", "/..", "%2e", "%2E%2e", "%2f", "%5c", "%09", "%0d%0a", "%252f", "%00"),
        *("http:", "https:", "javascript:", "data:", "user@", "user:pw@", "evil.example", "ⓔvil.example", "[::1]"),
        *("p", "acme", "/p/acme/", "p/acme", "／／", "＼", "。"),
    ]
)


@settings(max_examples=600)
@given(st.lists(PIECES, max_size=12).map("".join), st.sampled_from(["", "/", "/p/acme/", "/p/acme/details?x=", "//"]))
def test_no_next_leaves_the_programme_for_a_browser(tail: str, head: str) -> None:
    """Property: what is kept leads, for a browser, to this origin and to this programme's pages."""
    value = head + tail
    for path in (programme_path("acme", value, base_url=HERE), programme_path("acme", HERE + value, base_url=HERE)):
        if path:
            target = ada_url.URL(path, base=f"{HERE}/sso/x/acs")
            assert target.origin == HERE
            assert target.pathname.startswith("/p/acme/")
            again = ada_url.URL(unquote(path), base=f"{HERE}/sso/x/acs")  # Where something on the way decodes once.
            assert again.origin == HERE


@settings(max_examples=600)
@given(st.lists(PIECES, max_size=12).map("".join), st.sampled_from(["", "/", "/manager/", "//"]))
def test_no_next_leaves_this_site_for_a_browser(tail: str, head: str) -> None:
    path = safe_next(head + tail)
    if path:
        for form in (path, unquote(path), unquote(unquote(path))):
            assert ada_url.URL(form, base=f"{HERE}/manager/login").origin == HERE
