"""Hostile input: whatever is done to a good response, it is refused or means exactly the same; nothing ever raises."""

import copy
from contextlib import suppress
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from rgapp.demo.responses import encode
from rgapp.integrations.saml.logout import RefusedLogout, read_logout
from rgapp.integrations.saml.metadata import MetadataError, read_metadata
from rgapp.integrations.saml.response import examine
from rgapp.integrations.saml.verdict import Mode, Verdict, VerifiedAssertion
from tests.idp import NOW, connection, expected, key_pair, response_xml

# Other examples on each run; one that fails is printed with the line that brings it back.
BOUNDED = settings(
    max_examples=250, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow], database=None
)
THOROUGH = settings(BOUNDED, max_examples=1_500)
SIGNED = ("assertion", "response", "both", "encrypted", "encrypted, both")


@lru_cache
def good(sign: str) -> bytes:
    """Return a good response, the same each time."""
    how = sign.removeprefix("encrypted").strip(", ") or "assertion"
    certificate = key_pair("ours").certificate if sign.startswith("encrypted") else None
    return response_xml(sign=how, encrypt_for=certificate, content_transform="TransformAes256Cbc")


def verdict_on(xml: bytes) -> Verdict:
    """Examine a document as it would arrive."""
    return examine(encode(xml), connection(), request=expected(), now=NOW)


def meaning(assertion: VerifiedAssertion | None) -> Any:
    """Return everything that the application believes of an assertion."""
    assert assertion is not None
    return (
        assertion.assertion_id, assertion.issuer, assertion.name_id, assertion.name_id_format,
        assertion.session_index, dict(assertion.attributes), dict(assertion.friendly_names),
        assertion.in_response_to, assertion.not_on_or_after, assertion.session_not_on_or_after,
        assertion.authn_instant, assertion.replay_key,
    )  # fmt: skip


def assert_refused_or_same(xml: bytes, sign: str) -> None:
    """Check the one property that matters."""
    verdict = verdict_on(xml)
    assert (verdict.refusal is None) != (verdict.assertion is None)
    if verdict.assertion is not None:
        assert meaning(verdict.assertion) == meaning(verdict_on(good(sign)).assertion)


@THOROUGH
@given(st.sampled_from(SIGNED), st.data())
def test_changed_bytes_are_refused_or_mean_the_same(sign: str, data: st.DataObject) -> None:
    xml = bytearray(good(sign))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(xml) - 1))
        match data.draw(st.sampled_from(["flip", "drop", "double", "insert"])):
            case "flip":
                xml[at] ^= 1 << data.draw(st.integers(0, 7))
            case "drop":
                del xml[at : at + data.draw(st.integers(1, 40))]
            case "double":
                xml[at:at] = xml[at : at + data.draw(st.integers(1, 40))]
            case _:
                xml[at:at] = data.draw(
                    st.sampled_from([b"<!-- -->", b"<?a b?>", b" ", b"&#0;", b"&amp;", b"]]>", b"\0"])
                )
        if not xml:
            break
    assert_refused_or_same(bytes(xml), sign)


@THOROUGH
@given(st.sampled_from(SIGNED), st.data())
def test_moved_nodes_are_refused_or_mean_the_same(sign: str, data: st.DataObject) -> None:
    root = etree.fromstring(good(sign))
    for _ in range(data.draw(st.integers(1, 3))):
        nodes = list(root.iter())
        node, target = (nodes[data.draw(st.integers(0, len(nodes) - 1))] for _ in range(2))
        parent = node.getparent()
        inside = target is node or any(ancestor is node for ancestor in target.iterancestors())
        match data.draw(st.sampled_from(["drop", "double", "move", "copy", "rename", "attribute"])):
            case "drop" if parent is not None:
                parent.remove(node)
            case "double" if parent is not None:
                node.addnext(copy.deepcopy(node))
            case "move" if parent is not None and not inside:
                target.insert(data.draw(st.integers(0, len(target))), node)
            case "copy":
                target.insert(data.draw(st.integers(0, len(target))), copy.deepcopy(node))
            case "rename":
                node.tag = target.tag
            case "attribute" if node.attrib:
                name = data.draw(st.sampled_from(sorted(str(key) for key in node.attrib)))
                node.set(name, data.draw(st.sampled_from(["", "x", "#_assertion-1", "_assertion-1", "2.0", "true"])))
    assert_refused_or_same(etree.tostring(root), sign)


@pytest.mark.parametrize(("sign", "step"), [("assertion", 1), ("both", 1), ("encrypted", 23)])
def test_every_byte_flipped_once(sign: str, step: int) -> None:
    """Every 23rd of the encrypted one, where each try is an operation with our private key."""
    for at in range(0, len(good(sign)), step):
        xml = bytearray(good(sign))
        xml[at] ^= 1 << (at % 8)
        assert_refused_or_same(bytes(xml), sign)


@pytest.mark.parametrize("sign", ["assertion", "response", "both", "encrypted"])
def test_every_node_dropped_doubled_and_moved_everywhere(sign: str) -> None:
    count = len(list(etree.fromstring(good(sign)).iter()))
    for at in range(1, count):
        for to in range(-2, count):
            root = etree.fromstring(good(sign))
            nodes = list(root.iter())
            node = nodes[at]
            if to == -2:
                node.getparent().remove(node)
            elif to == -1:
                node.addnext(copy.deepcopy(node))
            elif any(target is node for target in (nodes[to], *nodes[to].iterancestors())):
                continue
            else:
                nodes[to].insert(0, node)
            assert_refused_or_same(etree.tostring(root), sign)


@BOUNDED
@given(st.one_of(st.binary(max_size=400).map(lambda raw: encode(raw)), st.text(max_size=200), st.none()))
def test_examine_never_raises_on_anything(text: str | None) -> None:
    for mode in Mode:
        verdict = examine(text, connection(), request=None, now=NOW, mode=mode)
        assert verdict.refusal is not None
        assert verdict.assertion is None


@BOUNDED
@given(st.binary(max_size=300))
def test_metadata_raises_nothing_but_its_own_error(data: bytes) -> None:
    for prefix in (b"", b"<", b'<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="x">'):
        with suppress(MetadataError):
            read_metadata(prefix + data, now=NOW)


@BOUNDED
@given(
    st.text(max_size=200), st.sampled_from(["", "SAMLRequest=", "SAMLResponse=", "Signature=a&SigAlg=b&SAMLRequest="])
)
def test_logout_never_raises_on_anything(text: str, prefix: str) -> None:
    assert isinstance(read_logout(prefix + text, connection(), now=NOW), RefusedLogout)


def test_broken_set_up_is_a_refusal_not_an_error() -> None:
    broken = connection(certificates=("nonsense",))
    assert examine(encode(good("both")), broken, request=expected(), now=NOW).refusal is not None
    no_key = connection(service_key="nonsense")
    xml = response_xml(encrypt_for=key_pair("ours").certificate)
    assert examine(encode(xml), no_key, request=expected(), now=NOW).refusal is not None
