"""Recording: probes are implanted in preserved subjects, and their recordings are stored."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import xarray as xr

from tests.lab.stages.tiny import WILD, tiny_plan, trained_store
from virtuallab import seeds
from virtuallab.errors import StoreError
from virtuallab.lab.planning.plan import Plan
from virtuallab.lab.stages.nodes import stage
from virtuallab.lab.stages.record import (
    command,
    declare,
    probe_in,
    record_probes,
    union_of_layers,
)
from virtuallab.lab.stages.reference import reference
from virtuallab.probes import GaussianNoise, Probe
from virtuallab.probes.statistics.features import features
from virtuallab.store import Store
from virtuallab.subject.preparation import prepare

NOISY = Probe(observables=("activity",), units=5, visits=2, noise=GaussianNoise(snr=2.0))
CLEAN = Probe(observables=("activity", "weights"), units=4, synapses=6)
STATISTICS = replace(CLEAN, keep="statistics")
TWO = "subjects.architectures=[{name: mlp, hidden: [4]}, {name: mlp, hidden: [5, 4]}]"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Path]:
    plan, folder = tiny_plan(), tmp_path_factory.mktemp("record")
    return plan, trained_store(folder, plan).path.parent


def copy(trained: tuple[Plan, Path], folder: Path) -> tuple[Plan, Store]:
    plan, source = trained
    return plan, Store.open(shutil.copytree(source, folder / "copy") / "lab.zarr")


def recorded(plan: Plan, store: Store, probes: Mapping[str, Probe]) -> list[int]:
    counts: list[int] = []
    declare(plan, store, probes)
    record_probes(plan, store, probes, 1, counts.append)
    return counts


@pytest.mark.parametrize(
    ("depths", "union"),
    [
        ({"a": ["x", "y"]}, ["x", "y"]),
        ({"a": ["x", "y"], "b": ["x", "z", "y"]}, ["x", "z", "y"]),
        ({"a": ["fc1", "fc2"], "b": ["fc1", "fc2", "fc3"]}, ["fc1", "fc2", "fc3"]),
        ({"a": ["only"], "b": ["in", "out"]}, ["in", "only", "out"]),
        ({}, []),
    ],
)
def test_layers_of_all_networks_are_ordered_by_mean_depth_then_name(
    depths: dict[str, list[str]], union: list[str]
) -> None:
    assert union_of_layers(depths) == union


def test_a_recording_is_the_implanted_probe_with_the_streams_of_the_subject(
    trained: tuple[Plan, Path], tmp_path: Path
) -> None:
    plan, store = copy(trained, tmp_path)
    assert recorded(plan, store, {"p": NOISY}) == [1, 1, 1, 1]
    [group] = plan.network_groups
    [calibration] = reference(store, group, 3).calibrations([NOISY])
    for index, subject in enumerate(plan.subjects):
        states = store.read("snapshots/mlp", index)["state"].to_numpy()
        preparation = prepare(group.architecture, group.task, states, None)
        choice = seeds.generator(3, subject.key, seeds.PROBE_CHOICE, "p")
        noise = seeds.generator(3, subject.key, seeds.PROBE_NOISE, "p")
        expected = NOISY.implant(preparation, choice).record(preparation, noise, calibration)
        found = store.read("recordings/p/mlp", index)
        for name in ("activity", "unit_index", "stimulus_index"):
            np.testing.assert_array_equal(found[name].values, expected[name].values)
        change = store.read("features/p", index)["change"].values
        np.testing.assert_array_equal(change, features(expected)["change"].values)


def test_other_probes_do_not_change_a_recording(trained: tuple[Plan, Path], tmp_path: Path) -> None:
    plan, one = copy(trained, tmp_path / "one")
    _, other = copy(trained, tmp_path / "other")
    recorded(plan, one, {"p": NOISY})
    recorded(plan, other, {"clean": CLEAN, "p": NOISY})
    for index in range(4):
        a, b = (each.committed(stage("p"))[index]["checksums"] for each in (one, other))
        assert a == b


def test_only_what_is_missing_is_recorded(trained: tuple[Plan, Path], tmp_path: Path) -> None:
    plan, store = copy(trained, tmp_path)
    assert recorded(plan, store, {"p": NOISY}) == [1] * 4
    assert recorded(plan, store, {"p": NOISY}) == []
    (store.path.with_suffix(".records") / "probe-p" / "000001.json").unlink()
    assert recorded(plan, Store.open(store.path), {"p": NOISY, "q": CLEAN}) == [1] * 5


def test_nodes_are_those_that_the_probe_needs(trained: tuple[Plan, Path], tmp_path: Path) -> None:
    plan, store = copy(trained, tmp_path)
    before = {*store.nodes()}
    declare(plan, store, {"noisy": NOISY, "clean": CLEAN, "small": STATISTICS})
    assert {*store.nodes()} - before == {
        *("features/noisy", "recordings/noisy/mlp", "signal_removed/noisy"),
        *("features/clean", "recordings/clean/mlp"),
        "features/small",
    }


def test_a_recording_says_where_it_is_from(trained: tuple[Plan, Path], tmp_path: Path) -> None:
    plan, store = copy(trained, tmp_path)
    declare(plan, store, {"noisy": NOISY})
    node = store.read("recordings/noisy/mlp")
    assert node.attrs["title"] == node.attrs["protocol"] == "tiny"
    assert node.attrs["simulated"] == "true"
    assert node.attrs["protocol_sha256"] == "ab"
    assert node["visit"].values.tolist() == [0, 2]
    assert node["step"].values.tolist() == [0, 4]
    [calibration] = reference(store, plan.network_groups[0], 3).calibrations([NOISY])
    assert calibration is not None
    noise = json.loads(node.attrs["noise"])
    for layer, spread in calibration.spreads["activity"].items():
        assert noise["activity"][layer] == pytest.approx(spread.layer / 2), "a ratio of 2"


def test_a_probe_is_read_as_it_was_written(trained: tuple[Plan, Path], tmp_path: Path) -> None:
    plan, store = copy(trained, tmp_path)
    declare(plan, store, {"noisy": NOISY, "small": STATISTICS})
    assert probe_in(store, "noisy") == NOISY
    assert probe_in(store, "small") == STATISTICS


def test_a_probe_whose_plugin_is_not_there_names_the_option(
    trained: tuple[Plan, Path], tmp_path: Path
) -> None:
    plan, store = copy(trained, tmp_path)
    declare(plan, store, {"p": NOISY})
    written = json.dumps({"noise": {"name": "my_noise"}})
    with (
        mock.patch.object(Store, "read", return_value=xr.Dataset(attrs={"probe": written})),
        pytest.raises(StoreError) as refused,
    ):
        probe_in(store, "p")
    assert str(refused.value).startswith(f"{store.path}: probes.p.noise")
    assert "my_noise" in str(refused.value)
    assert str(refused.value).endswith("Name the file of the plug-in with --plugin.")


def test_a_probe_with_other_settings_is_refused_and_nothing_is_added(
    trained: tuple[Plan, Path], tmp_path: Path
) -> None:
    plan, store = copy(trained, tmp_path)
    declare(plan, store, {"p": NOISY})
    nodes = store.nodes()
    with pytest.raises(StoreError) as refused:
        declare(plan, store, {"new": CLEAN, "p": replace(NOISY, units=6)})
    assert "probe 'p' is there with other settings: probes.p.units" in str(refused.value)
    assert str(refused.value).endswith(f"virtuallab probe {store.path} --remove p.")
    assert store.nodes() == nodes


def test_a_command_for_a_message_can_be_copied_to_a_shell() -> None:
    store = mock.Mock(spec=Store, path=Path("my runs/a.zarr"))
    assert command(store, "--remove", "p q") == "virtuallab probe 'my runs/a.zarr' --remove 'p q'"


def test_a_subject_that_diverged_is_not_recorded(tmp_path: Path) -> None:
    plan = tiny_plan(WILD)
    store = trained_store(tmp_path, plan)
    assert recorded(plan, store, {"p": CLEAN}) == [1, 1]
    assert sorted(store.committed(stage("p"))) == [0, 1]


def test_a_layer_that_a_network_does_not_have_is_nan_in_its_features(tmp_path: Path) -> None:
    plan = tiny_plan(TWO, "subjects.rules=[backprop]", "subjects.replicates=1",
                     cohorts=[[0], [1]])  # fmt: skip
    store = trained_store(tmp_path, plan)
    recorded(plan, store, {"p": STATISTICS})
    found = store.read("features/p")
    assert found["layer"].values.tolist() == ["fc1", "fc2", "fc3"]
    np.testing.assert_allclose(found["layer_depth"].values, [[0, 1, np.nan], [0, 0.5, 1]])
    assert (found["depth_group"].values >= 0).tolist() == [[True, True, False], [True] * 3]
    stat = found["stat"].values
    assert np.isnan(stat[0, :, 2]).all()
    assert np.isfinite(stat[1, :, 2]).any()
