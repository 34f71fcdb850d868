"""One table of the results of all designs."""

from __future__ import annotations

import numpy as np
import xarray as xr

from tests.protocol.texts import SMALL
from virtuallab.decoder.uncertainty.comparison import accuracy_interval
from virtuallab.lab.designs.comparison_table import (
    comparison_table,
    named_designs,
    observables_of,
)
from virtuallab.lab.designs.decode_designs import DecodedDesign
from virtuallab.protocol import Compare, read_text

SIZES = (({"a": 400, "b": 300}, {"a": 50, "b": 50}, 5, 10),)
LABELS = np.repeat(["fa", "sgdm"], [4, 6])
DESIGNS = """\
compare:
  designs:
    array: {units: [10, 20], observables: [activity]}
    both: {noise: {snr: 2.0}, visits: 3, observables: [activity, weights]}
  classifiers: [linear_svm]
  seeds: 2
"""


def compare_section(text: str = DESIGNS) -> Compare:
    found = read_text(SMALL + text).compare
    assert found is not None
    return found


def table(how: Compare, share: float = 1.0) -> xr.Dataset:
    """All subjects are identified by the first implantation, a share of each rule by others."""
    designs = named_designs(how)
    right = np.concatenate([np.arange(n) < share * n for n in (4, 6)])
    came = []
    for each in designs:
        for seed in range(how.seeds):
            keys = [(name, "linear_svm") for name in observables_of(how, each.point, 4)]
            controls = {("permuted_labels", *key): LABELS == "fa" for key in keys}
            identified = right if seed else np.ones(10, dtype=bool)
            came.append(DecodedDesign(dict.fromkeys(keys, identified), controls))
    names = np.array([f"sub-{n:04d}" for n in range(10)], dtype=object)
    coords = {"subject": names, "rule": ("subject", LABELS.astype(object))}
    return comparison_table(how, designs, came, xr.Dataset(coords=coords), SIZES)


def test_a_grid_is_a_design_for_each_value_and_its_label_names_what_varies() -> None:
    designs = named_designs(compare_section())
    assert [each.label for each in designs[:2]] == ["array: units 10", "array: units 20"]
    assert [each.name for each in designs] == ["array", "array", "both"]


def test_a_design_is_decoded_from_the_observables_it_measures_and_the_section_lists() -> None:
    how = compare_section(DESIGNS + "  observables: [weights, all]\n")
    array, _, both = (observables_of(how, each.point, 4) for each in named_designs(how))
    assert array == ("all",)
    assert both == ("weights", "all")
    assert "activity" in observables_of(compare_section(), named_designs(how)[0].point, 4)


def test_an_accuracy_is_the_mean_over_implantations_of_the_balanced_accuracy() -> None:
    found = table(compare_section(), share=0.5).sel(observable="activity").squeeze("classifier")
    np.testing.assert_allclose(found["accuracy_by_seed"], [[1.0, 0.5]] * 3)
    np.testing.assert_allclose(found["balanced_accuracy"], 0.75)
    assert (
        found["identified"].isel(design=0).values.tolist() == [1, 1, 0.5, 0.5] + [1] * 3 + [0.5] * 3
    )
    expected = accuracy_interval(
        found["identified"].isel(design=0).values.astype(float), LABELS, 0.95, repeats=2
    )
    np.testing.assert_allclose(found["interval"].isel(design=0), expected)
    assert found.attrs["chance"] == 0.5
    assert found.attrs["n_subjects"] == 10


def test_what_a_design_does_not_measure_is_nan() -> None:
    found = table(compare_section()).squeeze("classifier")
    there = found["balanced_accuracy"].notnull().sel(observable="weights")
    assert there.values.tolist() == [False, False, True]


def test_controls_are_in_the_table_where_they_were_wanted_and_evaluated() -> None:
    found = table(compare_section()).squeeze("classifier").sel(observable="activity")
    assert (found["control_accuracy"].sel(control="permuted_labels") == 0.5).all()
    assert found["control_accuracy"].sel(control="visit_0").isnull().all()
    assert "control_accuracy" not in table(compare_section(DESIGNS + "  controls: false\n"))


def test_a_setting_that_varies_is_a_coordinate_that_is_nan_for_other_designs() -> None:
    found = table(compare_section())
    assert found["units"].dims == ("design",)
    np.testing.assert_array_equal(found["units"], [10, 20, np.nan])
    assert "visits" not in found.coords
