"""Differences between rules are tested in pairs, and only in a paired design."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.stats import ttest_rel

from virtuallab.reporting.page.experiment import experiment_page
from virtuallab.reporting.results.paired import paired_differences

RULES = ["adam", "feedback_alignment"]
PAIRS = 12


def tree(effect: float = 0.02, *, paired: bool = True, spread: float = 0.1) -> xr.DataTree:
    """Twelve pairs that differ by ``spread``; rules differ by ``effect`` within a pair."""
    stream = np.random.default_rng(3)
    of_pair = 0.7 + spread * stream.standard_normal(PAIRS)
    within = 0.01 * stream.standard_normal((2, PAIRS))
    final = np.concatenate([of_pair + effect + within[0], of_pair + within[1]])
    subjects = xr.Dataset(
        {"status": ("subject", np.ones(2 * PAIRS, dtype=np.int8))},
        coords={
            "subject": [f"sub-{number:04d}" for number in range(2 * PAIRS)],
            "rule": ("subject", np.repeat(RULES, PAIRS)),
            "architecture": ("subject", ["mlp"] * 2 * PAIRS),
            "task": ("subject", ["digits"] * 2 * PAIRS),
            "loss": ("subject", ["cross_entropy"] * 2 * PAIRS),
        },
    )
    if paired:
        subjects = subjects.assign_coords(pair=("subject", np.tile(np.arange(PAIRS), 2)))
    truth = xr.Dataset(
        {"validation_performance": (("subject", "visit"), np.stack([np.full(24, 0.1), final], 1))}
    )
    return xr.DataTree.from_dict({"/subjects": subjects, "/truth": truth})


def test_a_difference_within_pairs_is_found_that_pairs_hide() -> None:
    [found] = paired_differences(tree(), RULES)
    assert (found.rule, found.other, found.pairs) == (*RULES, PAIRS)
    assert found.is_shown
    final = tree()["truth"]["validation_performance"].values[:, -1]
    low, high = ttest_rel(final[:PAIRS], final[PAIRS:]).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((low, high))
    # Without pairs the interval would be about as wide as the pairs are apart.
    assert found.high - found.low < 0.03 < 2 * final[:PAIRS].std(ddof=1)


def test_no_difference_is_not_shown() -> None:
    [found] = paired_differences(tree(effect=0.0), RULES)
    assert not found.is_shown


def test_there_is_nothing_without_pairs_or_with_one_pair() -> None:
    assert paired_differences(tree(paired=False), RULES) == []
    one = tree()
    subjects = one["subjects"].to_dataset()
    subjects["status"][1:PAIRS] = 0  # pending
    one["subjects"] = xr.DataTree(subjects)
    assert paired_differences(one, RULES) == []


def test_intervals_of_several_differences_hold_together() -> None:
    [alone] = paired_differences(tree(), RULES)
    three = paired_differences(tree(), [*RULES, "sgdm"])
    [same] = [each for each in three if each.pairs == PAIRS]
    assert same.high - same.low > 1.1 * (alone.high - alone.low)


def test_the_page_has_the_differences_of_a_paired_design_alone() -> None:
    said = "in the same pairs, in percentage points"
    assert said in experiment_page(tree())
    assert said not in experiment_page(tree(paired=False))
