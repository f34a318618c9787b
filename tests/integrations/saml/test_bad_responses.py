"""Every folder in fixtures/saml/bad is refused, and with the reason it names."""

import pytest

from rgapp.integrations.saml.explain import because, employee_sentence, explain
from tests.integrations.saml.attacks import EVIL
from tests.integrations.saml.corpus import Case, cases


@pytest.mark.parametrize("case", cases("bad"), ids=lambda case: case.name)
def test_bad_response_is_refused_with_its_own_reason(case: Case) -> None:
    verdict = case.verdict()
    assert verdict.assertion is None
    assert verdict.refusal is not None
    assert verdict.refusal.code == case.data["refused"], verdict.checks
    assert verdict.refusal in verdict.checks
    assert explain(verdict.refusal).fix
    assert because(verdict.refusal.code)
    assert employee_sentence(verdict.refusal.code)


def test_the_corpus_is_large_enough() -> None:
    assert len(cases("bad")) >= 100


def test_no_repr_of_a_verdict_shows_who_it_was_about() -> None:
    for case in cases("bad"):
        shown = repr(case.verdict())
        assert EVIL not in shown
        assert "jane.carter" not in shown.lower()
