"""A recording as opened says what it is: its axes, its units and where it is from."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import virtuallab as vl
from virtuallab.vocabulary import _DESCRIPTIONS, CHOSEN

PROTOCOL = """\
schema_version: 1
name: kinds
seed: 3
subjects:
  architectures: [{name: mlp, hidden: [12]}]
  tasks: [{name: digits, train_images: 64, validation_images: 40, probe_images: 20}]
  rules: [backprop]
  optimizer: {name: sgd, learning_rate: 0.05}
  replicates: 2
  batch_size: 32
  epochs: 1
  visits: 2
  cohort: 2
probes:
  raw: {units: 6, synapses: 8}
  spikes: {units: 6, spikes: {rate: 20, window: 0.5, trials: 4}, observables: [activity]}
  calcium: {units: 6, calcium: {}, observables: [activity]}
  pooled: {pool: 2, observables: [activity]}
  wiring: {device: connectomics, synapses: 8}
"""
# What xarray would decode as a time, or refuse.
_TIMES = ("days", "hours", "minutes", "seconds", "milliseconds", "microseconds", "nanoseconds")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kinds")
    (folder / "kinds.yaml").write_text(PROTOCOL, encoding="utf-8")
    vl.run(folder / "kinds.yaml", store=folder / "kinds.zarr")
    return folder / "kinds.zarr"


def opened(store: Path, probe: str, by: str = "virtuallab") -> xr.Dataset:
    node = f"recordings/{probe}/mlp"
    if by == "virtuallab":
        return vl.open(store)[node].to_dataset()
    if by == "a tree":
        return xr.open_datatree(store, engine="zarr")[node].to_dataset()
    return xr.open_zarr(store, group=node, chunks=None)  # dask arrays cannot be grouped by


@pytest.mark.parametrize("by", ["virtuallab", "a tree", "a node"])
def test_a_subject_can_be_grouped_by_what_it_was_shown_and_found(store: Path, by: str) -> None:
    recording = opened(store, "raw", by)
    assert set(recording.data_vars) == {"activity", "weights", "activity_change"}
    there = {"stimulus_label", "stimulus_index", "unit_index", "synapse_index"}
    assert there <= set(recording.coords)
    one = recording.isel(subject=1)
    of_classes = one["activity"].groupby("stimulus_label").mean()
    label = int(one["stimulus_label"][0])
    shown = one["activity"].isel(stimulus=np.flatnonzero(one["stimulus_label"] == label))
    np.testing.assert_allclose(of_classes.sel(stimulus_label=label), shown.mean("stimulus"))
    assert one.groupby("stimulus_index").mean().sizes["stimulus_index"] == 20
    assert one["activity"].groupby("unit_index").max().sizes["unit_index"] <= 6


@pytest.mark.parametrize(
    ("probe", "observable", "units"),
    [
        ("raw", "activity", "1"),
        ("raw", "weights", "1"),
        ("raw", "activity_change", "1"),
        ("spikes", "activity", "spikes/s"),
        ("calcium", "activity", "dF/F"),
        ("pooled", "activity", "1"),
        ("wiring", "weights", "1"),
    ],
)
def test_values_are_in_the_units_that_they_are_measured_in(
    store: Path, probe: str, observable: str, units: str
) -> None:
    recording = opened(store, probe, "a node")
    assert recording[observable].attrs["units"] == units
    assert recording["step"].attrs["units"] == "optimizer step"
    assert recording["step"].dtype == np.int64
    assert recording["epoch"].attrs["units"] == "epoch"
    features = vl.open(store)[f"features/{probe}"].to_dataset()
    assert "units" not in features["stat"].attrs
    assert features["change"].attrs["units"] == "1"
    mean = {"activity": "actraw_mean", "weights": "weightraw_mean"}.get(observable, "gradavgraw_id")
    found = features["statistic_units"].sel(statistic=mean)
    assert found.item() == units


def test_spike_counts_are_whole_numbers_in_the_time_counted(store: Path) -> None:
    counts = opened(store, "spikes")["activity"].load() * 0.5 * 4
    np.testing.assert_allclose(counts, counts.round(), atol=1e-3)
    assert counts.max() > 1


@pytest.mark.parametrize("probe", ["raw", "wiring"])
def test_a_recording_says_that_it_is_simulated_by_what(store: Path, probe: str) -> None:
    root = vl.open(store).attrs
    for node in (f"recordings/{probe}/mlp", f"features/{probe}"):
        attrs = vl.open(store)[node].attrs
        assert attrs["protocol"] == attrs["title"] == "kinds"
        assert attrs["protocol_sha256"] == root["protocol_sha256"]
        assert attrs["seed"] == "3"
        assert attrs["simulated"] == "true"
        assert attrs["source"] == f"simulated by virtuallab {version('virtuallab')}"


def test_a_subject_alone_is_saved_and_opened_as_it_was(store: Path, tmp_path: Path) -> None:
    one = opened(store, "raw").isel(subject=0)
    one.to_netcdf(tmp_path / "one.nc", engine="h5netcdf")
    again = xr.open_dataset(tmp_path / "one.nc", engine="h5netcdf")
    assert set(again.coords) == set(one.coords)
    assert again.attrs["simulated"] == "true"
    assert again.groupby("stimulus_label").mean().sizes["stimulus_label"] > 1


def test_nothing_is_measured_in_what_xarray_takes_for_a_time() -> None:
    assert not [name for name, (units, _) in _DESCRIPTIONS.items() if units in _TIMES]
    assert set(CHOSEN) <= set(_DESCRIPTIONS)
