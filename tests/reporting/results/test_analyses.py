import numpy as np
import pytest
import xarray as xr

from tests.reporting.synthetic import HELD_OUT, KINDS, experiment
from virtuallab.errors import UserError
from virtuallab.reporting import experiment_page, summary_figure, verdict_table
from virtuallab.reporting.results.analyses import analyses, why_none
from virtuallab.vocabulary import DIVERGED, PENDING


def test_there_is_a_result_for_each_thing_that_was_measured(tree):
    found = analyses(tree)[0].results
    # 3 probes x 4 observables x 2 classifiers, less the weights that one probe does not record
    assert len(found) == 3 * 4 * 2 - 2
    assert not any(r.probe == "sparse" and r.observable == "weights" for r in found)
    stored = tree["decoding/main/balanced_accuracy"]
    for result in found:
        assert result.accuracy.value == float(stored.sel(result.cell))
        assert set(result.controls) == set(KINDS)
        assert set(result.held_out) == set(HELD_OUT)


def test_nothing_decoded_means_no_analyses():
    assert analyses(experiment(decoded=False)) == ()


def with_status(status: int) -> xr.DataTree:
    tree = experiment(decoded=False)
    subjects = tree["subjects"].to_dataset()
    every = np.full(subjects.sizes["subject"], status)
    tree["subjects"] = xr.DataTree(subjects.assign(status=("subject", every)))
    return tree


def test_the_reason_why_nothing_is_decoded_is_the_true_one():
    tree = experiment(decoded=False)
    assert why_none(tree) == "Nothing is decoded yet, so there is no verdict."
    tree.attrs["protocol_resolved"] = '{"analyses": {"main": {}}}'
    assert why_none(tree) == "Nothing is decoded yet, so there is no verdict."
    tree.attrs["protocol_resolved"] = '{"analyses": {}}'
    assert why_none(tree).startswith("The protocol has no analyses, so there is no verdict.")
    lost = with_status(DIVERGED)
    assert "48 of 48 subjects diverged: lower the learning rates" in why_none(lost)
    lost.attrs["protocol_resolved"] = '{"analyses": {}}'
    assert "subjects diverged" in why_none(lost)
    assert why_none(with_status(PENDING)).startswith("Nothing is decoded yet")


def test_the_reason_is_printed_and_is_on_the_page_and_in_the_error_of_the_figure():
    tree = with_status(DIVERGED)
    assert why_none(tree) in experiment_page(tree)
    with pytest.raises(UserError, match="48 of 48 subjects diverged"):
        summary_figure(tree)
    assert why_none(tree) in str(verdict_table(tree))


def test_what_was_not_measured_is_missing_and_not_zero():
    result = analyses(experiment())[0].results[0]
    assert (result.calibration, result.coverage) == (None, None)
    assert result.left_out == {}
    assert result.certainty == []


def test_a_warning_carries_the_name_of_its_probe(tree):
    assert analyses(tree)[0].warnings == ("all_units: one seed is shared",)


def test_chance_is_one_in_the_number_of_rules_where_the_verdict_does_not_say():
    tree = experiment()
    del tree["decoding/main"].attrs["chance"]
    assert analyses(tree)[0].chance == pytest.approx(0.25)


def test_the_confidence_comes_from_the_protocol_where_the_verdict_does_not_say():
    tree = experiment()
    tree.attrs["protocol_resolved"] = '{"analyses": {"main": {"confidence": 0.9}}}'
    assert analyses(tree)[0].confidence == 0.9
