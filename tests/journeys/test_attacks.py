"""Attacks from another site in a real browser: what SameSite, frame-ancestors, Sec-Fetch and one-use records stop."""

import re
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from tests.journeys.live import Live
from tests.journeys.steps import choose_at_identity_provider, sign_in_as_employee

EVIL = "http://evil.test"
HOME = re.compile(r"/p/acme/$")


@pytest.fixture
def victim(browser: Browser, live: Live) -> Iterator[BrowserContext]:
    """Return a browser that may complain about policies: here they are meant to be broken."""
    context = browser.new_context(base_url=live.url)
    context.set_default_timeout(10_000)
    yield context
    context.close()


def evil_page(page: Page, body: str) -> None:
    """Open a page of another site."""
    page.route(f"{EVIL}/**", lambda route: route.fulfill(content_type="text/html", body=f"<!doctype html>{body}"))
    page.goto(f"{EVIL}/")


def posted_to_acs(page: Page, name: str) -> dict[str, str]:
    """Sign in at the identity provider and keep the response instead of bringing it."""
    kept: list[Request] = []
    page.route("**/acs", lambda route: (kept.append(route.request), route.abort()))
    page.goto("/p/acme/login")
    page.get_by_role("link", name="Sign in with Acme Demo IdP").click()
    page.get_by_role("radio", name=re.compile(name)).check()
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/acs")):
        page.get_by_role("button", name="Sign in").click()
    return {name: values[0] for name, values in parse_qs(kept[0].post_data).items()} | {"": kept[0].url}


def form_that_posts_itself(fields: dict[str, str], action: str) -> str:
    """Return a form that a page of another site sends as soon as it is open."""
    inputs = "".join(f'<input name="{name}" value="{value}">' for name, value in fields.items() if name)
    return f'<form method="post" action="{action}">{inputs}</form><script>document.forms[0].submit()</script>'


def test_the_response_comes_without_the_session_and_without_the_form_cookie(page: Page, victim: BrowserContext) -> None:
    """SameSite=Lax keeps both back from a post of another site; the sign-in has to work without them."""
    sign_in_as_employee(page, "Jane Carter")
    expect(page.get_by_role("heading", name="Welcome, Jane")).to_be_visible()
    held = {cookie["name"] for cookie in page.context.cookies()}
    assert {"rg_user_acme", "rg_form", "rg_saml_secure"} <= held
    with page.expect_request(lambda request: request.method == "POST" and request.url.endswith("/acs")) as posted:
        page.goto(sign_in_address(victim))
        choose_at_identity_provider(page, "Jane Carter")
    sent = posted.value.all_headers().get("cookie", "")
    assert "rg_saml_secure=" in sent
    assert "rg_form=" not in sent
    assert "rg_user_acme=" not in sent
    expect(page.get_by_role("heading", name="Welcome, Jane")).to_be_visible()


def sign_in_address(context: BrowserContext) -> str:
    """Return where the programme's sign-in button leads, in a browser where nobody is signed in."""
    found = re.search(r'href="(/sso/[^/"]+/login)', context.request.get("/p/acme/login").text())
    assert found is not None
    return found[1]


def test_two_tabs_sign_in_at_once(page: Page) -> None:
    other = page.context.new_page()
    for tab in (page, other):
        tab.goto("/p/acme/login")
        tab.get_by_role("link", name="Sign in with Acme Demo IdP").click()
    for tab in (page, other):
        choose_at_identity_provider(tab, "Jane Carter")
        expect(tab.get_by_role("heading", name="Welcome, Jane")).to_be_visible()


def test_back_after_the_sign_in_and_forward_again_end_in_no_dead_end(page: Page) -> None:
    sign_in_as_employee(page, "Jane Carter")
    expect(page.get_by_role("heading", name="Welcome, Jane")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Choose who you are")).to_be_visible()
    page.get_by_role("radio", name=re.compile("Jane Carter")).check()
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("used already")).to_be_visible()
    page.get_by_role("link", name="Try again").click()
    expect(page).to_have_url(HOME)


def test_an_attackers_response_in_a_victims_browser_signs_nobody_in(
    new_page: Callable[..., Page], victim: BrowserContext
) -> None:
    fields = posted_to_acs(new_page(), "Marcus Bell")
    page = victim.new_page()
    page.goto("/p/acme/login")
    page.get_by_role("link", name="Sign in with Acme Demo IdP").click()  # She has a sign-in of her own under way.
    evil_page(page, form_that_posts_itself(fields, fields[""]))
    expect(page.get_by_text("started in another browser")).to_be_visible()
    page.goto("/p/acme/")
    expect(page).to_have_url(re.compile("/p/acme/login"))


def test_another_site_can_neither_sign_her_out_nor_post_our_forms(victim: BrowserContext, live: Live) -> None:
    page = victim.new_page()
    start = sign_in_address(victim)
    sign_in_as_employee(page, "Jane Carter")
    logout = live.url + start.removesuffix("login") + "logout"
    evil_page(page, f'<img src="{logout}"><iframe src="{logout}"></iframe>')
    page.wait_for_load_state("networkidle")
    evil_page(page, f"<script>location = '{logout}'</script>")
    expect(page.get_by_role("heading", name="Sign out?")).to_be_visible()
    for action in (logout, f"{live.url}/p/acme/logout"):
        evil_page(page, form_that_posts_itself({"csrf_token": "x"}, action))
        page.wait_for_url(action)
    page.goto("/p/acme/")
    expect(page.get_by_role("heading", name="Welcome, Jane")).to_be_visible()


@pytest.mark.parametrize("path", ["/p/acme/login", "/manager/login", "/p/acme/"])
def test_no_page_opens_inside_another_sites_frame(victim: BrowserContext, live: Live, path: str) -> None:
    page = victim.new_page()
    evil_page(page, f'<iframe src="{live.url}{path}"></iframe>')
    page.wait_for_load_state("networkidle")
    framed = page.frames[1]
    assert framed.url.startswith("chrome-error://")


def test_another_sites_script_reads_nothing_of_ours(victim: BrowserContext, live: Live) -> None:
    page = victim.new_page()
    sign_in_as_employee(page, "Jane Carter")
    evil_page(page, "<p>hello</p>")
    read = page.evaluate(
        "url => fetch(url, {credentials: 'include'}).then(answer => answer.text()).catch(error => 'refused')",
        f"{live.url}/p/acme/details",
    )
    assert read == "refused"


def test_a_session_planted_in_the_browser_is_replaced_at_the_sign_in(victim: BrowserContext, live: Live) -> None:
    victim.add_cookies([{"name": "rg_user_acme", "value": "planted" * 6, "url": live.url, "httpOnly": True}])
    page = victim.new_page()
    sign_in_as_employee(page, "Jane Carter")
    expect(page.get_by_role("heading", name="Welcome, Jane")).to_be_visible()
    (held,) = [cookie for cookie in victim.cookies() if cookie["name"] == "rg_user_acme"]
    assert held["value"] != "planted" * 6
