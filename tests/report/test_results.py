import math

import pytest

from tests.report.synthetic import experiment
from virtuallab.report.results import Estimate, Result, analyses, results


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
        assert set(result.controls) == {"visit_0", "permuted_labels"}
        assert set(result.held_out) == {"knet4", "mlp"}


def test_nothing_decoded_means_no_results():
    assert results(experiment(decoded=False)) == ()


def test_a_control_fails_when_its_whole_interval_lies_above_chance():
    controls = {"visit_0": Estimate(0.31, 0.26, 0.36), "permuted_labels": Estimate(0.3, 0.24, 0.4)}
    result = Result("main", "p", "all", "c", Estimate(0.8, 0.7, 0.9), 0.25, controls)
    assert result.failed_controls == ("visit_0",)


def test_an_accuracy_without_an_interval_is_never_above_chance():
    assert not Estimate(0.9, math.nan, math.nan).is_above(0.25)


def test_each_probe_has_one_best_result_from_the_best_probe_to_the_worst(tree):
    (analysis,) = analyses(tree)
    best = [result.accuracy.value for result in analysis.best_of_probes]
    assert best == sorted(best, reverse=True)
    assert {result.probe for result in analysis.best_of_probes} == {"all_units", "noisy", "sparse"}
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
