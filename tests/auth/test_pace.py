"""Answers that take the same time."""

import pytest
from flask import Flask

from rgapp.pace import evened_out


@pytest.mark.parametrize(("took", "waited"), [(0.0, 0.25), (0.1, 0.15), (0.4, 0.0)])
def test_what_is_left_of_the_time_is_waited_for(app: Flask, took: float, waited: float) -> None:
    moments, waits = iter((10.0, 10.0 + took)), []
    app.config["TESTING"] = False
    with app.app_context(), evened_out(0.25, clock=lambda: next(moments), wait=waits.append):
        pass
    assert waits == [pytest.approx(waited)]
