"""What the benchmarks measure with: the meter, the generator of load, the tables. Nothing here is timed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from benchmarks import document, load, report
from benchmarks.meter import CPUMeter

BUSY = "import time\nwhile time.process_time() < 0.3: pass\n"


class Handler(BaseHTTPRequestHandler):
    """Answers a POST with a redirect and the length of what came, a GET with 404."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(303)

    def do_GET(self) -> None:
        self.answer(404)

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.send_header("Location", self.path)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Write no log."""


@pytest.fixture
def port() -> Iterator[int]:
    """Serve the handler."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_the_meter_counts_a_living_child_and_one_that_ended() -> None:
    meter = CPUMeter(os.getpid())
    before = meter.read()
    subprocess.run([sys.executable, "-c", BUSY], check=True)
    assert meter.read() - before >= 250


def test_every_request_is_answered_once_and_in_its_place(port: int) -> None:
    requests = [load.post(f"/{number}", b"a=b" * number, host="rewards.example") for number in range(40)]
    requests[7] = load.get("/nowhere", host="rewards.example")
    done = load.run(port, requests, clients=4, heads=True)
    assert done.statuses() == {303: 39, 404: 1}
    assert done.answers[7].status == 404
    assert b"Location: /12\r" in done.answers[12].head + b"\r"
    assert done.percentile(50) <= done.percentile(99)


def test_a_server_that_is_not_there_is_an_error_and_no_result(port: int) -> None:
    with pytest.raises(load.LoadError, match="refused"):
        load.run(1, [load.get("/", host="rewards.example")], clients=1)


def test_a_table_sets_numbers_right() -> None:
    assert report.table(["what", "ms"], [["floor", "0.5"], ["plain", "12.0"]]).splitlines() == [
        "| what  |   ms |",
        "|-------|-----:|",
        "| floor |  0.5 |",
        "| plain | 12.0 |",
    ]


def test_results_replace_what_stands_between_their_markers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "performance.md"
    page.write_text(
        "Before\n<!-- measured: users -->\nold\n<!-- end -->\nAfter <!-- measured: scale -->\nkept\n<!-- end -->"
    )
    (tmp_path / "users.md").write_text("| new |\n")
    monkeypatch.setattr(document, "PAGE", page)
    monkeypatch.setattr(document, "RESULTS", tmp_path)
    document.write()
    text = page.read_text()
    assert "<!-- measured: users -->\n\n| new |\n\n<!-- end -->" in text
    assert "old" not in text
    assert "kept" in text
