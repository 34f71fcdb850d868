import numpy as np
import pytest
import xarray as xr

from virtuallab.reporting.results.certainty import (
    CalibrationResult,
    CoverageResult,
    certainty,
    read_calibration,
    read_coverage,
    read_left_out,
)


def test_bins_that_others_have_and_this_result_has_not_are_left_out():
    cell = xr.Dataset(
        {
            "reliability_stated": ("bin", [0.4, 0.9, np.nan]),
            "reliability_observed": ("bin", [0.5, 0.8, np.nan]),
            "reliability_count": ("bin", [12.0, 8.0, np.nan]),
            "calibration_error": 0.1,
        }
    )
    found = read_calibration(cell)
    assert found == CalibrationResult((0.4, 0.9), (0.5, 0.8), (12, 8), 0.1)
    assert str(found) == "0.10"


def test_the_nominal_coverage_is_an_attribute():
    cell = xr.Dataset({"coverage": 0.93, "set_size": 1.25}, attrs={"nominal_coverage": 0.9})
    assert read_coverage(cell) == CoverageResult(0.93, 1.25, 0.9)
    assert read_coverage(cell.drop_attrs()) == CoverageResult(0.93, 1.25)


def test_empty_sets_are_counted():
    cell = xr.Dataset({"coverage": 0.93, "set_size": 0.95, "empty_sets": 0.06})
    said = str(read_coverage(cell))
    assert said.endswith("93 % of subjects; mean size 0.9 rules; empty for 6 % of subjects")


def test_rules_that_were_not_left_out_are_omitted():
    cell = xr.Dataset(
        {"left_out_auroc": ("true_rule", [0.8, np.nan])}, coords={"true_rule": ["adam", "oja"]}
    )
    assert read_left_out(cell) == {"adam": 0.8}


@pytest.mark.parametrize("read", [read_calibration, read_coverage, read_left_out])
def test_what_was_not_measured_is_nothing(read):
    assert not read(xr.Dataset())


def test_each_measure_has_a_sentence():
    assert certainty(None, None, {}) == []
    [covered] = certainty(None, CoverageResult(0.5), {})
    assert covered.endswith("The prediction sets contain the true rule in 50 % of subjects.")
    [detected] = certainty(None, None, {"adam": 0.9, "oja": 0.7})
    assert "AUROC 0.80, at worst 0.70 (Oja); 0.5 is guessing" in detected
