import math

import xarray as xr

from virtuallab.report.results.estimate import Estimate, estimate, number_of


def test_a_number_without_bounds_is_written_alone():
    assert str(Estimate(0.5, math.nan, math.nan)) == "0.50"


def test_what_was_not_measured_is_none():
    cell = xr.Dataset({"accuracy": math.nan})
    assert estimate(cell, "accuracy", "interval") is None
    assert number_of(cell, "another") is None


def test_an_estimate_without_its_interval_has_no_bounds():
    found = estimate(xr.Dataset({"accuracy": 0.5}), "accuracy", "interval")
    assert found.value == 0.5
    assert math.isnan(found.low)
