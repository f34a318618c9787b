"""A browser without scripts, as far as SAML needs one: cookies by site, redirects, and forms that send themselves."""

import http.client
from dataclasses import dataclass, field
from urllib.parse import urlencode, urljoin, urlsplit

from lxml import html

MOST_STEPS = 20
SENT_BY_THEMSELVES = {"SAMLResponse", "SAMLRequest"}


@dataclass(frozen=True)
class Page:
    """What an address answered."""

    url: str
    status: int
    text: str
    location: str = ""

    @property
    def path(self) -> str:
        """Return the path of its address."""
        return urlsplit(self.url).path

    def form(self) -> html.FormElement | None:
        """Return the page's form with a SAML message, else the first that has fields, if there is one."""
        if not self.text.strip() or "<form" not in self.text.lower():
            return None
        forms = html.fromstring(self.text.encode(), base_url=self.url, parser=html.HTMLParser(encoding="utf-8")).forms
        filled = [form for form in forms if set(form.fields.keys())]
        sending = [form for form in filled if SENT_BY_THEMSELVES & set(form.fields.keys())]
        return next(iter(sending or filled or forms), None)


@dataclass
class Browser:
    """One person's browser. `steps` are the addresses it has been to, `posted` the last SAML form it sent."""

    cookies: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)
    steps: list[Page] = field(default_factory=list)
    posted: dict[str, str] = field(default_factory=dict)

    def open(self, url: str) -> Page:
        """Open an address and go on until a page is reached that waits for its reader."""
        return self._go_on(self._request("GET", url))

    def send(self, page: Page, **values: str) -> Page:
        """Send a page's form with these fields changed, and go on."""
        form = page.form()
        assert form is not None, page
        fields = dict(form.form_values()) | values
        target = urljoin(page.url, form.action or page.url)
        if (form.method or "GET").upper() == "GET":
            return self.open(f"{target.partition('?')[0]}?{urlencode(fields)}")
        return self._go_on(self.post(target, fields, origin=page.url))

    def post(self, url: str, fields: dict[str, str], origin: str = "") -> Page:
        """Post fields to an address; what comes of it is not followed."""
        if SENT_BY_THEMSELVES & set(fields):
            self.posted = fields
        return self._request("POST", url, urlencode(fields), origin)

    def _go_on(self, page: Page) -> Page:
        for _ in range(MOST_STEPS):
            if page.location:
                page = self._request("GET", urljoin(page.url, page.location))
                continue
            form = page.form()
            if form is None or not SENT_BY_THEMSELVES & set(form.fields.keys()):
                return page
            page = self.post(urljoin(page.url, form.action or page.url), dict(form.form_values()), page.url)
        raise AssertionError(f"no end after {[step.url for step in self.steps]}")

    def _request(self, method: str, url: str, body: str | None = None, origin: str = "") -> Page:
        parts = urlsplit(url)
        host = parts.hostname or ""
        # Another host is another site: a POST from there brings no cookie that is not SameSite=None.
        crossing = method == "POST" and bool(origin) and urlsplit(origin).hostname != host
        kept = self.cookies.setdefault(host, {})
        sent = [f"{name}={value}" for name, (value, site) in kept.items() if site == "none" or not crossing]
        headers = {"Cookie": "; ".join(sent)} if sent else {}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection(host, parts.port or 80, timeout=60)
        try:
            target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
            for line in answer.headers.get_all("Set-Cookie") or []:
                self._keep(kept, line)
            page = Page(url, answer.status, text, answer.headers.get("Location", ""))
        finally:
            connection.close()
        self.steps.append(page)
        return page

    @staticmethod
    def _keep(kept: dict[str, tuple[str, str]], line: str) -> None:
        first, *rest = (part.strip() for part in line.split(";"))
        name, _, value = first.partition("=")
        options = {key.lower(): text.strip().lower() for key, _, text in (part.partition("=") for part in rest)}
        if options.get("max-age") == "0" or "1970" in options.get("expires", ""):
            kept.pop(name, None)
        else:
            kept[name] = (value, options.get("samesite", "lax"))
