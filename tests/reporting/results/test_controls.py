import math

import numpy as np
import pytest
import xarray as xr

from virtuallab.reporting.results.controls import ControlOutcome, explain_kinds, read_controls
from virtuallab.reporting.results.estimate import Estimate
from virtuallab.vocabulary import CONTROL

NAMES = np.array(["visit_0", "performance"], dtype=object)


def cell(**variables):
    found = {"control_accuracy": (CONTROL, [0.31, 0.8])}
    found["control_passed"] = (CONTROL, [1.0, 1.0])
    found["control_kind"] = (CONTROL, np.array(["chance", "beat"], dtype=object))
    found["control_interval"] = ((CONTROL, "bound"), [[0.26, 0.36], [0.7, 0.9]])
    found |= {name: (CONTROL, values) for name, values in variables.items()}
    coords = {CONTROL: NAMES, "bound": np.array(["low", "high"], dtype=object)}
    return xr.Dataset(found, coords=coords)


def test_what_the_decoder_judged_is_what_counts():
    found = read_controls(cell(control_passed=[1.0, 0.0]))
    assert found["visit_0"].passed
    assert found["performance"].passed is False


def test_a_control_that_was_not_evaluated_neither_passed_nor_failed():
    found = read_controls(cell(control_passed=[np.nan, 1.0], control_note=["no visit 0", ""]))
    control = found["visit_0"]
    assert (control.evaluated, control.passed, control.failed) == (False, None, False)
    assert control.outcome == "not evaluated: no visit 0"


@pytest.mark.parametrize("nothing", [math.nan, "nan", ""], ids=repr)
def test_text_that_a_probe_does_not_have_is_no_text(nothing):
    texts = np.array(["said", nothing], dtype=object)
    found = read_controls(cell(control_passed=[1.0, np.nan], control_note=texts))
    assert [control.note for control in found.values()] == ["said", ""]
    assert found["performance"].outcome == "not evaluated"


def test_what_it_must_be_comes_from_its_kind():
    kinds = np.array(["chance", "beat"], dtype=object)
    found = read_controls(cell(control_passed=[1.0, 1.0], control_kind=kinds))
    assert [control.must_be for control in found.values()] == ["at chance", "below recording"]


@pytest.mark.parametrize("kind", ["chance", "beat", "survive"])
def test_a_control_of_ones_own_has_words_too(kind):
    control = ControlOutcome("my_control", kind, Estimate(0.5, 0.4, 0.6), False)
    assert control.decodes == "my control"
    assert ("my control" in control.meaning) == (kind != "chance")


def test_no_controls_are_none():
    assert read_controls(xr.Dataset()) == {}


def test_a_control_above_chance_that_passed_after_correction_is_recognised():
    visit_0, performance = read_controls(cell(control_passed=[1.0, 1.0])).values()
    assert visit_0.passed_above(0.25)
    assert not visit_0.passed_above(0.27)
    assert not performance.passed_above(0.25), "it need not be at chance"
    assert not read_controls(cell(control_passed=[0.0, 1.0]))["visit_0"].passed_above(0.25)


def test_only_the_kinds_of_the_controls_are_explained():
    visit_0, performance = read_controls(cell()).values()
    assert "below the recording" not in explain_kinds([visit_0])
    assert "below the recording" in explain_kinds([visit_0, performance])
    assert explain_kinds([]) == ""


def performance(difference, low, high):
    control = Estimate(0.5, 0.4, 0.6)
    return ControlOutcome(
        "performance", "beat", control, False, difference=Estimate(difference, low, high)
    )


@pytest.mark.parametrize(
    ("bounds", "failed", "outcome", "meaning"),
    [
        ((-0.04, 0.04), True, "FAILED: equivalent (within 0.05)", "as well as the recording"),
        ((-0.3, -0.1), True, "FAILED: equivalent or better (within 0.05)", "recording or better"),
        ((-0.2, 0.3), False, "undecided: too few subjects", "is undecided"),
    ],
)
def test_a_baseline_that_is_not_beaten_has_one_of_three_outcomes(bounds, failed, outcome, meaning):
    control = performance(sum(bounds) / 2, *bounds)
    assert (control.failed, control.undecided) == (failed, not failed)
    assert control.is_limit
    assert control.outcome == outcome
    assert meaning in control.meaning
    assert "the learning curve alone" in control.meaning


def test_the_bounds_of_a_difference_may_be_negative():
    differences = {"control_difference": [np.nan, -0.1], "control_passed": [1.0, 0.0]}
    stored = cell(**differences).assign(
        control_difference_interval=((CONTROL, "bound"), [[np.nan, np.nan], [-0.3, 0.1]])
    )
    found = read_controls(stored)
    assert found["visit_0"].difference is None
    assert found["performance"].difference == Estimate(-0.1, -0.3, 0.1)
    assert found["performance"].undecided
