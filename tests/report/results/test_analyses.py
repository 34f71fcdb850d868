import math

import pytest

from tests.report.synthetic import HELD_OUT, KINDS, experiment
from virtuallab.report.results.analyses import Estimate, Result, analyses, results


def test_there_is_a_result_for_each_thing_that_was_measured(tree):
    found = results(tree)
    # 3 probes x 4 observables x 2 classifiers, less the weights that one probe does not record
    assert len(found) == 3 * 4 * 2 - 2
    assert not any(r.probe == "sparse" and r.observable == "weights" for r in found)
    stored = tree["decoding/main/balanced_accuracy"]
    for result in found:
        cell = {
            "probe": result.probe,
            "observable": result.observable,
            "classifier": result.classifier,
        }
        assert result.accuracy.value == float(stored.sel(cell))
        assert set(result.controls) == set(KINDS)
        assert set(result.held_out) == set(HELD_OUT)


def test_nothing_decoded_means_no_results():
    assert results(experiment(decoded=False)) == ()


def test_groups_held_out_are_averaged_within_what_was_held_out(tree):
    result = results(tree)[0]
    assert list(result.by_split) == ["architecture", "task"]
    assert list(result.by_split["task"]) == ["digits", "gratings"]
    pair = [each.value for each in result.by_split["task"].values()]
    assert result.held_out_means["task"] == pytest.approx(sum(pair) / 2)


def test_a_group_of_an_older_store_is_held_out_by_no_name():
    accuracy = Estimate(0.8, 0.7, 0.9)
    result = Result("main", "p", "all", "c", accuracy, 0.25, held_out={"knet4": accuracy})
    assert result.by_split == {"held out": {"knet4": accuracy}}


def test_failed_controls_are_told_by_what_they_should_have_done():
    failing = ("metadata", "performance", "schedule_matched")
    result = results(experiment(judged=True, failing=failing))[0]
    assert result.failed_controls == failing
    assert [control.name for control in result.leaks] == ["metadata"]
    assert [control.name for control in result.limits] == ["performance", "schedule_matched"]


def test_what_was_not_measured_is_missing_and_not_zero():
    result = results(experiment())[0]
    assert (result.calibration, result.coverage) == (None, None)
    assert result.left_out == {}
    assert result.certainty == ""


def test_an_accuracy_without_an_interval_is_never_above_chance():
    assert not Estimate(0.9, math.nan, math.nan).is_above(0.25)


def test_each_probe_has_one_best_result_from_the_best_probe_to_the_worst(tree):
    (analysis,) = analyses(tree)
    best = [result.accuracy.value for result in analysis.of_probes]
    assert best == sorted(best, reverse=True)
    assert {result.probe for result in analysis.of_probes} == {"all_units", "noisy", "sparse"}
    assert analysis.best == max(analysis.results, key=lambda r: r.accuracy.value)


def test_a_warning_carries_the_name_of_its_probe(tree):
    (analysis,) = analyses(tree)
    assert analysis.warnings == ("all_units: one seed is shared",)


def test_chance_is_one_in_the_number_of_rules_where_the_verdict_does_not_say():
    tree = experiment()
    del tree["decoding/main"].attrs["chance"]
    assert analyses(tree)[0].chance == pytest.approx(0.25)


def test_the_confidence_comes_from_the_protocol_where_the_verdict_does_not_say():
    tree = experiment()
    tree.attrs["protocol_resolved"] = '{"analyses": {"main": {"confidence": 0.9}}}'
    assert analyses(tree)[0].confidence == 0.9
