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
from tests.store.toy import contents
from virtuallab import seeds
from virtuallab.errors import StoreError
from virtuallab.lab.planning.plan import Plan
from virtuallab.lab.services.workers import LocalPool
from virtuallab.lab.stages.nodes import stage
from virtuallab.lab.stages.record import (
    command,
    declare,
    probe_in,
    record_probes,
)
from virtuallab.lab.stages.reference import reference
from virtuallab.probes import GaussianNoise, Probe
from virtuallab.probes.statistics.features import features
from virtuallab.store import Store
from virtuallab.subject.preparation import prepare

NOISY = Probe(observables=("activity",), units=5, visits=2, noise=GaussianNoise(snr=2.0))
CLEAN = Probe(observables=("activity", "weights"), units=4, synapses=6)
STATISTICS = replace(CLEAN, keep="statistics")
PROBES = {"clean": CLEAN, "noisy": NOISY, "small": STATISTICS}
TWO = "subjects.architectures=[{name: mlp, hidden: [4]}, {name: mlp, hidden: [5, 4]}]"


@pytest.fixture(scope="module")
def plan() -> Plan:
    return tiny_plan()


@pytest.fixture(scope="module")
def trained(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the store of trained subjects."""
    folder = tmp_path_factory.mktemp("trained")
    trained_store(folder, plan)
    return folder


@pytest.fixture(scope="module")
def done(plan: Plan, trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The store in which all probes have recorded, in this order; no test changes it."""
    store = copy(trained, tmp_path_factory.mktemp("done"))
    assert recorded(plan, store, PROBES) == [1] * 12
    return store


def copy(folder: Path, to: Path) -> Store:
    return Store.open(shutil.copytree(folder, to / "copy") / "lab.zarr")


def recorded(plan: Plan, store: Store, probes: Mapping[str, Probe]) -> list[int]:
    """Record some probes; return what progress was told."""
    counts: list[int] = []
    declare(plan, store, probes)
    record_probes(plan, store, probes, LocalPool(1), counts.append)
    return counts


def test_a_recording_is_the_implanted_probe_with_the_streams_of_the_subject(
    plan: Plan, done: Store
) -> None:
    [group] = plan.network_groups
    [calibration] = reference(done, group, 3).calibrations([NOISY])
    for index in (0, 3):
        key = plan.subjects[index].key
        states = done.read("snapshots/mlp", index)["state"].to_numpy()
        preparation = prepare(group.architecture, group.task, states, None)
        choice = seeds.generator(3, key, seeds.PROBE_CHOICE, "noisy")
        noise = seeds.generator(3, key, seeds.PROBE_NOISE, "noisy")
        expected = NOISY.implant(preparation, choice).record(preparation, noise, calibration)
        found = done.read("recordings/noisy/mlp", index)
        for name in ("activity", "unit_index", "stimulus_index"):
            np.testing.assert_array_equal(found[name].values, expected[name].values)
        change = done.read("features/noisy", index)["change"].values
        np.testing.assert_array_equal(change, features(expected)["change"].values)


def test_other_probes_do_not_change_a_recording(
    plan: Plan, trained: Path, done: Store, tmp_path: Path
) -> None:
    alone = copy(trained, tmp_path)
    recorded(plan, alone, {"noisy": NOISY})
    for index in range(4):
        a, b = (each.committed(stage("noisy"))[index]["checksums"] for each in (alone, done))
        assert a == b


def test_only_what_is_missing_is_recorded(plan: Plan, done: Store, tmp_path: Path) -> None:
    store = copy(done.path.parent, tmp_path)
    before = contents(store.path)
    (store.path.with_suffix(".records") / "probe-clean" / "000001.json").unlink()
    counts: list[int] = []
    record_probes(plan, Store.open(store.path), PROBES, LocalPool(1), counts.append)
    assert counts == [1]
    assert contents(store.path) == before


def test_nodes_are_those_that_the_probe_needs(done: Store) -> None:
    assert {node for node in done.nodes() if node.count("/") and "snapshots" not in node} == {
        *("features/noisy", "recordings/noisy/mlp", "signal_removed/noisy"),
        *("features/clean", "recordings/clean/mlp"),
        *("features/small", "references/mlp"),
    }


def test_a_recording_says_where_it_is_from(plan: Plan, done: Store) -> None:
    node = done.read("recordings/noisy/mlp")
    assert node.attrs["title"] == node.attrs["protocol"] == "tiny"
    assert node.attrs["simulated"] == "true"
    assert node.attrs["protocol_sha256"] == "ab"
    assert node["visit"].values.tolist() == [0, 2]
    assert node["step"].values.tolist() == [0, 4]
    [calibration] = reference(done, plan.network_groups[0], 3).calibrations([NOISY])
    assert calibration is not None
    noise = json.loads(node.attrs["noise"])
    for layer, spread in calibration.spreads["activity"].items():
        assert noise["activity"][layer] == pytest.approx(spread.layer / 2), "a ratio of 2"


@pytest.mark.parametrize("name", PROBES)
def test_a_probe_is_read_as_it_was_written(name: str, done: Store) -> None:
    assert probe_in(done, name) == PROBES[name]


def test_a_probe_whose_plugin_is_not_there_names_the_option(done: Store) -> None:
    written = json.dumps({"noise": {"name": "my_noise"}})
    with (
        mock.patch.object(Store, "read", return_value=xr.Dataset(attrs={"probe": written})),
        pytest.raises(StoreError) as refused,
    ):
        probe_in(done, "noisy")
    assert str(refused.value).startswith(f"{done.path}: probes.noisy.noise")
    assert "my_noise" in str(refused.value)
    assert str(refused.value).endswith("Name the file of the plug-in with --plugin.")


def test_a_probe_with_other_settings_is_refused_and_nothing_is_added(
    plan: Plan, done: Store
) -> None:
    nodes = done.nodes()
    with pytest.raises(StoreError) as refused:
        declare(plan, done, {"new": CLEAN, "noisy": replace(NOISY, units=6)})
    assert "probe 'noisy' is there with other settings: probes.noisy.units" in str(refused.value)
    assert str(refused.value).endswith(f"virtuallab probe {done.path} --remove noisy.")
    assert done.nodes() == nodes


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
