"""The plain app: Flask with stock python3-saml and one INSERT, put together as their first pages suggest."""

import json
import os
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, redirect, request, session
from onelogin.saml2.auth import OneLogin_Saml2_Auth

from benchmarks.floor import Insert
from benchmarks.place import ATTRIBUTES, IDP_ENTITY_ID, Place


def saml_settings(place: Place, certificate: str) -> dict[str, Any]:
    """Return python3-saml's settings for the connection that the responses are made for."""
    pem = "".join(certificate.strip().splitlines()[1:-1])
    return {
        "strict": True,
        "sp": {
            "entityId": place.entity_id,
            "assertionConsumerService": {
                "url": place.acs_url,
                "binding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
            },
        },
        "idp": {
            "entityId": IDP_ENTITY_ID,
            "singleSignOnService": {
                "url": "https://idp.example/sso",
                "binding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
            },
            "x509cert": pem,
        },
        "security": {"wantAssertionsSigned": True, "rejectDeprecatedAlgorithm": True},
    }


def create_app() -> Flask:
    """Make the application; `BENCHMARK_PLACE` is the connection as JSON, the rest is as for the floor."""
    app = Flask("plain")
    app.secret_key = "only-for-the-benchmark"  # noqa: S105 - it protects nothing.
    place = Place(**json.loads(os.environ["BENCHMARK_PLACE"]))
    settings = saml_settings(place, Path(os.environ["BENCHMARK_CERTIFICATE"]).read_text())
    insert = Insert(os.environ["BENCHMARK_DATABASE"])

    @app.post(place.acs_path)
    def acs() -> Any:
        asked = {
            "https": "on",  # The proxy in front speaks TLS.
            "http_host": request.host,
            "script_name": request.path,
            "get_data": request.args.copy(),
            "post_data": request.form.copy(),
        }
        auth = OneLogin_Saml2_Auth(asked, old_settings=settings)
        auth.process_response(request_id=session.pop("request_id", None))
        if auth.get_errors() or not auth.is_authenticated():
            return Response(auth.get_last_error_reason(), 403)
        attributes = auth.get_attributes()
        insert([attributes[name][0] for name in ATTRIBUTES.values()])
        session["name_id"] = auth.get_nameid()
        session["session_index"] = auth.get_session_index()
        return redirect("/welcome", 303)

    @app.get("/healthz")
    def healthz() -> str:
        return abort(404)

    return app
