from __future__ import annotations

from tests.reporting.designs import answer
from virtuallab.reporting.results.power import sentences


def test_the_result_is_summarised_in_sentences():
    first, second, units, sigma = sentences(answer())
    assert first == (
        "Use 30 recorded units, signal-to-noise ratio 0.5: the cheapest design that reaches a "
        "balanced accuracy of 0.45 with 90 % confidence, at a cost of 30."
    )
    assert second == "In new recordings this design reached 0.47 (0.40 to 0.53)."
    assert "at least 25 (90 % interval 20 to beyond the bounds)" in units
    assert "at most 0.2 (90 % interval 0.1 to 0.4)" in sigma
