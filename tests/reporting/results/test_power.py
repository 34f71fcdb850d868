from __future__ import annotations

from tests.reporting.designs import answer
from virtuallab.reporting.results.power import sentences


def test_the_result_is_summarised_in_sentences():
    first, second, units, sigma = sentences(answer())
    assert first == (
        "Use 30 recorded units, signal-to-noise ratio 0.5, at a cost of 30: the cheapest design "
        "that is predicted to reach a balanced accuracy of 0.45."
    )
    assert second == (
        "In new recordings it reached 0.47 (90 % interval 0.40 to 0.53): the interval includes "
        "values below the target, so 90 % confidence needs more subjects or a larger design."
    )
    assert "at least 25 (90 % interval 20 to beyond the bounds)" in units
    assert "at most 0.2 (90 % interval 0.1 to 0.4)" in sigma


def test_a_target_below_the_whole_interval_of_the_new_recordings_is_reached():
    found = answer(target=0.4)
    assert found.is_reached
    assert sentences(found)[1] == (
        "In new recordings it reached 0.47 (90 % interval 0.40 to 0.53): the target is reached "
        "with 90 % confidence."
    )
    assert not answer().is_reached
    assert not answer(chosen=None, confirmed=None).is_reached
