import numpy as np
import pytest
import xarray as xr

from virtuallab.report.results.certainty import (
    Calibration,
    Coverage,
    calibration_of,
    certainty,
    coverage_of,
    left_out_of,
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
    found = calibration_of(cell)
    assert found == Calibration((0.4, 0.9), (0.5, 0.8), (12, 8), 0.1)
    assert str(found) == "0.10"


def test_the_share_asked_for_is_an_attribute():
    cell = xr.Dataset({"coverage": 0.93, "set_size": 1.25}, attrs={"nominal_coverage": 0.9})
    assert coverage_of(cell) == Coverage(0.93, 1.25, 0.9)
    assert coverage_of(cell.drop_attrs()) == Coverage(0.93, 1.25)


def test_rules_that_were_not_left_out_are_not_told_of():
    cell = xr.Dataset(
        {"left_out_auroc": ("true_rule", [0.8, np.nan])}, coords={"true_rule": ["adam", "oja"]}
    )
    assert left_out_of(cell) == {"adam": 0.8}


@pytest.mark.parametrize("read", [calibration_of, coverage_of, left_out_of])
def test_what_was_not_measured_is_nothing(read):
    assert not read(xr.Dataset())


def test_each_part_of_the_line_stands_alone():
    assert certainty(None, None, {}) == ""
    assert certainty(None, Coverage(0.5), {}) == (
        "prediction sets hold the true rule for 50\u00a0% of subjects"
    )
    told = certainty(None, None, {"adam": 0.9, "oja": 0.7})
    assert told.endswith("AUROC 0.80, at worst 0.70 (Oja)")
