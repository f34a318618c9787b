"""The validator in a web process that has just started: its first responses come on several threads at once."""

import os
import signal
import threading

from rgapp.clock import utcnow
from rgapp.demo.responses import ResponseSpec, build_response, encode
from rgapp.integrations.saml import document
from rgapp.integrations.saml.connection import Connection
from rgapp.integrations.saml.response import examine

PROCESSES = 24
THREADS = 8
SECONDS = 30
BASE = "https://rewards.example/sso/1"
IDP = "https://idp.example/saml"


def test_the_first_responses_of_a_process_may_come_on_all_threads_at_once(idp_key: tuple[str, str]) -> None:
    """libxml2 compiles schemas with global state; threads that met there corrupted memory, or refused what was good."""
    spec = ResponseSpec(
        issuer=IDP, audience=f"{BASE}/metadata", acs_url=f"{BASE}/acs", now=utcnow(), attributes={}, in_response_to=None
    )
    connection = Connection(
        entity_id=f"{BASE}/metadata",
        acs_url=f"{BASE}/acs",
        sls_url=f"{BASE}/sls",
        service_certificate="",
        idp_entity_id=IDP,
        certificates=(idp_key[1],),
        idp_initiated=True,
    )
    response = encode(build_response(spec, *idp_key))
    ended = [_in_a_new_process(response, connection) for _ in range(PROCESSES)]
    assert ended == [0] * PROCESSES


def _in_a_new_process(response: str, connection: Connection) -> int:
    """Examine a response on every thread of a process that compiled no schema yet; returns how the process ended."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    try:  # Nothing of the test run may go on in this process, whatever happens.
        signal.alarm(SECONDS)
        document._local = threading.local()
        start, refused = threading.Barrier(THREADS), []

        def work() -> None:
            start.wait()
            for _ in range(20):
                verdict = examine(response, connection, request=None, now=utcnow())
                if verdict.refusal is not None:
                    refused.append(verdict.refusal)

        threads = [threading.Thread(target=work) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        os._exit(1 if refused else 0)
    finally:
        os._exit(2)
