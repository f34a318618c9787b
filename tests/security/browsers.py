"""A plain browser for real servers: cookies, forms, and nothing followed by itself."""

import http.client
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from urllib3 import encode_multipart_formdata

FORM = "application/x-www-form-urlencoded"
FORM_TOKEN = re.compile(r'name="csrf_token"[^>]* value="([^"]+)"')


@dataclass
class Answer:
    """What a server answered."""

    status: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def location(self) -> str:
        """Return where it leads, or an empty string."""
        return self.headers.get("Location", "")


@dataclass
class Visitor:
    """One browser, which may speak to several ports of one site."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)  # The value of every cookie that was ever set.

    def get(self, path: str, *, port: int | None = None) -> Answer:
        """Open a page."""
        return self.request("GET", path, port=port)

    def post(self, path: str, fields: dict[str, str], *, port: int | None = None, form: str = "") -> Answer:
        """Post fields; `form` is the page whose form token goes along."""
        if form:
            found = FORM_TOKEN.search(self.get(form, port=port).text)
            assert found is not None, form
            fields = fields | {"csrf_token": found[1]}
        return self.request("POST", path, urlencode(fields), port=port)

    def upload(self, path: str, fields: dict[str, Any], *, form: str) -> Answer:
        """Post fields and files, each file as its name and content, with the form token of a page."""
        token = FORM_TOKEN.search(self.get(form).text)
        assert token is not None, form
        body, kind = encode_multipart_formdata(fields | {"csrf_token": token[1]})
        return self.request("POST", path, body, kind=kind)

    def request(
        self, method: str, path: str, body: str | bytes = "", *, port: int | None = None, kind: str = FORM
    ) -> Answer:
        """Make one request with the cookies that are held."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=60)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} | self.headers
        if method == "POST":
            headers["Content-Type"] = kind
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            read = Answer(answer.status, answer.headers, answer.read().decode("utf-8", "replace"))
        finally:
            connection.close()
        for cookie in read.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
            if value:
                self.seen.add(value)
            else:
                del self.cookies[name]
        return read
