from __future__ import annotations

import re

import pytest

from virtuallab.reporting.page.designs import comparison_page
from virtuallab.reporting.results.comparison import best_sentence, controls_sentence, ranking
from virtuallab.reporting.style import pretty
from virtuallab.vocabulary import CONTROL


def test_the_ranking_is_by_accuracy_and_marks_designs_equivalent_to_the_best(comparison):
    rows = ranking(comparison)
    assert [row.value for row in rows] == sorted((row.value for row in rows), reverse=True)
    assert rows[0].design.startswith("sparse")
    assert rows[0].rank_mark == "="
    assert rows[-1].rank_mark == f"{rows[-1].behind:.2f}"
    assert rows[-1].behind == pytest.approx(rows[0].value - rows[-1].value)
    assert len(rows) == (6 * 2 + 2 + 2 + 1) * 2


def test_the_best_of_many_has_an_interval_that_is_corrected_for_their_number(comparison):
    first, *rest = ranking(comparison)
    words = best_sentence(comparison)
    low, high = map(float, re.search(r"comparisons, (0\.\d+) to (0\.\d+)\)", words).groups())
    assert words.startswith(f"The best of {len(rest) + 1} accuracies is biased upwards")
    assert first.design in words
    assert low < first.low - 0.02
    assert high > first.high
    assert words in " ".join(comparison_page(comparison).split())
    one = comparison.isel(design=[0], observable=[0], classifier=[0])
    assert best_sentence(one) == ""


def test_controls_are_summarised_by_their_mean(comparison):
    words = controls_sentence(comparison)
    value = float(re.search(r"permuted labels ([\d.]+)", words)[1])
    assert value == pytest.approx(0.25, abs=0.02)
    assert controls_sentence(comparison.drop_vars("control_accuracy")) == ""


def test_controls_that_no_design_allows_are_left_out(comparison):
    controls = comparison["control_accuracy"]
    some = comparison.assign(
        control_accuracy=controls.where(controls[CONTROL] != controls[CONTROL][0])
    )
    names = [pretty(str(name)) for name in controls[CONTROL].values]
    assert [name in controls_sentence(some) for name in names] == [False] + [True] * len(names[1:])
    assert controls_sentence(comparison.assign(control_accuracy=controls.where(False))) == ""
