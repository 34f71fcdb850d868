import pytest

from virtuallab.decoder.equivalence import EQUIVALENCE_MARGIN, Comparison, compare_accuracies


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (0.01, 0.4, Comparison.HIGHER),
        (0.001, 0.04, Comparison.HIGHER),
        (-0.4, -0.1, Comparison.NO_HIGHER),
        (-0.02, 0.03, Comparison.EQUIVALENT),
        (-EQUIVALENCE_MARGIN, EQUIVALENCE_MARGIN, Comparison.EQUIVALENT),
        (0.0, 0.0, Comparison.EQUIVALENT),
        (-0.02, 0.06, Comparison.UNDECIDED),
        (-0.06, 0.02, Comparison.NO_HIGHER),
        (-0.04, -0.01, Comparison.EQUIVALENT),
        (-0.1, 0.5, Comparison.UNDECIDED),
        (float("nan"), float("nan"), Comparison.UNDECIDED),
    ],
)
def test_a_difference_that_was_not_found_is_no_equivalence(low, high, outcome):
    assert compare_accuracies(low, high) is outcome
    assert outcome.is_no_higher == (low <= 0 and high <= EQUIVALENCE_MARGIN)
