import numpy as np

from virtuallab.reporting.figures.designs.settings import (
    at_best,
    held_text,
    measured_observables,
    named,
    numeric_settings,
)


def test_visits_of_any_form_are_counted(comparison):
    assert named(comparison, "early")["visits"].values.tolist() == [2, 4]


def test_settings_that_vary_and_observables_that_were_decoded_are_found(comparison):
    assert numeric_settings(named(comparison, "grid")) == ["units", "noise.snr"]
    assert numeric_settings(named(comparison, "alone")) == []
    assert measured_observables(named(comparison, "early")) == ["activity"]


def test_further_settings_are_held_where_the_best_design_has_them(comparison):
    grid = named(comparison, "grid").isel(classifier=0)
    held = at_best(grid, ["noise.snr"])
    best = grid["balanced_accuracy"].max("observable").argmax("design")
    assert np.unique(held["noise.snr"]) == float(grid["noise.snr"][best])
    assert held_text(held, ["noise.snr"]).startswith(", at signal-to-noise ratio ")
    assert held_text(held, []) == ""
