import math

import xarray as xr

from virtuallab.reporting.results.estimate import Estimate, read_estimate, read_number


def test_a_number_without_bounds_is_written_alone():
    assert str(Estimate(0.5, math.nan, math.nan)) == "0.50"


def test_what_was_not_measured_is_none():
    cell = xr.Dataset({"accuracy": math.nan})
    assert read_estimate(cell, "accuracy", "interval") is None
    assert read_number(cell, "another") is None


def test_an_estimate_without_its_interval_has_no_bounds():
    found = read_estimate(xr.Dataset({"accuracy": 0.5}), "accuracy", "interval")
    assert found.value == 0.5
    assert math.isnan(found.low)


def test_bounds_outside_of_0_and_1_are_not_shown():
    bounds = ("bound", [-0.04, 1.2])
    cell = xr.Dataset({"accuracy": 0.17, "interval": bounds}, {"bound": ["low", "high"]})
    assert str(read_estimate(cell, "accuracy", "interval")) == "0.17 [0.00, 1.00]"
