import math

import pytest

from tests.reporting.synthetic import experiment
from virtuallab.reporting.results.analyses import analyses
from virtuallab.reporting.results.estimate import Estimate


def test_groups_held_out_are_averaged_within_what_was_held_out(tree):
    result = analyses(tree)[0].results[0]
    assert list(result.by_split) == ["architecture", "task"]
    assert list(result.by_split["task"]) == ["digits", "gratings"]
    pair = [each.value for each in result.by_split["task"].values()]
    assert result.held_out_means["task"] == pytest.approx(sum(pair) / 2)


def test_groups_are_averaged_for_each_choice_of_references(tree):
    result = analyses(tree)[0].results[0]
    assert list(result.referenced) == ["all rules", "its own rule"]
    means = result.referenced_means["all rules"]
    assert list(means) == ["architecture", "task"]
    gained = result.held_out_means["task"] - result.chance
    assert means["task"] == pytest.approx(result.chance + 1.2 * gained)
    assert result.referenced_means["its own rule"]["task"] == pytest.approx(result.chance)


def test_failed_controls_are_sorted_by_their_kind():
    failing = ("metadata", "performance", "schedule_matched")
    result = analyses(experiment(judged=True, failing=failing))[0].results[0]
    assert [control.name for control in result.leaks] == ["metadata"]
    assert [control.name for control in result.limits] == ["performance", "schedule_matched"]


def test_an_accuracy_without_an_interval_is_never_above_chance():
    assert not Estimate(0.9, math.nan, math.nan).is_above(0.25)


def test_each_probe_has_one_best_result_from_the_best_probe_to_the_worst(tree):
    (analysis,) = analyses(tree)
    best = [result.accuracy.value for result in analysis.of_probes]
    assert best == sorted(best, reverse=True)
    assert {result.probe for result in analysis.of_probes} == {"all_units", "noisy", "sparse"}
    assert analysis.best == max(analysis.results, key=lambda r: r.accuracy.value)


def test_results_are_sorted_by_probe_and_by_classifier(tree):
    (analysis,) = analyses(tree)
    assert {name: len(found) for name, found in analysis.by_probe().items()} == {
        "all_units": 8,
        "noisy": 8,
        "sparse": 6,
    }
    value, interval = analysis.by_classifier()["linear_svm"]
    assert value.dims == ("probe", "observable")
    assert interval.dims == ("probe", "observable", "bound")
    assert value["observable"].values.tolist() == ["weights", "activity", "activity_change", "all"]


def test_why_controls_were_not_evaluated_is_counted():
    (analysis,) = analyses(experiment(judged=True, not_evaluated=("schedule",)))
    ((reason, count),) = analysis.not_evaluated_controls.items()
    assert reason.startswith("schedule is not evaluated: 21 subjects matched")
    assert count == len(analysis.results)


def test_numbers_are_explained_by_what_was_tested():
    strict, published = analyses(experiment(published=True))
    assert "mean over 4 rules of the share of subjects identified" in strict.explanation
    assert "with its 95 % interval; chance is 0.25" in strict.explanation
    assert "share of layers identified" in published.explanation


def test_the_correction_of_controls_for_multiple_tests_is_explained():
    (analysis,) = analyses(experiment(judged=True))
    assert "about one control in 20 is above chance" in analysis.multiplicity
    assert "the 88 controls are tested together (Holm correction)" in analysis.multiplicity
