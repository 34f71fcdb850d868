"""A paired design from the protocol to designs, decoders and a recording made elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import virtuallab as vl
from virtuallab.lab.identification.identify import identify
from virtuallab.store.decoders.persistence import load_decoder

PROTOCOL = """\
schema_version: 1
name: pairs
seed: 3
subjects:
  architectures: [{name: mlp, hidden: [6]}]
  tasks: [{name: digits, train_images: 32, validation_images: 10, probe_images: 10}]
  rules: [{name: backprop, label: sgdm}, feedback_alignment, {name: hebbian, label: other}]
  optimizer: {name: sgd, learning_rate: {log_uniform: [0.01, 0.1]}}
  paired: [initial_weights]
  replicates: 6
  batch_size: 8
  steps: 8
  visits: 3
  cohort: 6
probes:
  sparse: {units: 4, noise: {snr: 4.0}, observables: [activity]}
analyses:
  main:
    {observables: [activity], others: [other], folds: 2, inner_folds: 2, repeats: 1}
compare:
  designs: {few: {units: 4, observables: [activity]}}
  seeds: 1
  folds: 2
  inner_folds: 2
power:
  design: {observables: [activity], units: {uniform: [2, 4]}, visits: 3}
  prices: {unit: 1}
  target: 0.7
  trials: 4
  seeds: 1
  folds: 2
  inner_folds: 2
"""


@pytest.fixture(scope="module")
def protocol(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("paired") / "pairs.yaml"
    path.write_text(PROTOCOL, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def tree(protocol: Path) -> xr.DataTree:
    return vl.run(protocol, store=protocol.with_name("pairs.zarr"), workers=1)


def test_the_store_has_the_pairs_and_their_weights_are_the_same_before_learning(
    tree: xr.DataTree,
) -> None:
    subjects = tree["subjects"].to_dataset()
    pairs = subjects["pair"].to_numpy()
    np.testing.assert_array_equal(pairs, subjects["replicate"])
    [group] = tree["snapshots"].children.values()
    state = group.to_dataset()["state"].to_numpy()
    for pair in range(6):
        first, last = state[pairs == pair, 0], state[pairs == pair, -1]
        assert len(np.unique(first, axis=0)) == 1
        assert len(np.unique(last, axis=0)) == 3
    assert len(np.unique(state[:, 0], axis=0)) == 6
    np.testing.assert_array_equal(tree["features/sparse"].coords["pair"], pairs)


def test_an_analysis_counts_pairs(tree: xr.DataTree) -> None:
    found = tree["decoding/main"].to_dataset()
    assert float(found["pair_effect"].squeeze()) >= 1
    assert found.attrs.get("not_decoded") is None


@pytest.mark.slow
def test_designs_are_compared_and_searched_with_pairs(protocol: Path, tree: xr.DataTree) -> None:
    store = protocol.with_name("pairs.zarr")
    found = vl.compare(protocol, store=store, workers=1)
    np.testing.assert_array_equal(found.coords["pair"], tree["subjects"]["pair"])
    assert len(vl.power(protocol, store=store, workers=1).tried) >= 3


@pytest.mark.slow
def test_a_decoder_of_a_paired_experiment_is_kept_and_asked(
    protocol: Path, tree: xr.DataTree
) -> None:
    store = protocol.with_name("pairs.zarr")
    [group] = tree["recordings/sparse"].children
    folder = protocol.with_name("sparse.decoder")
    recording = store / "recordings" / "sparse" / group
    asked = {"subject": "sub-0001", "workers": 1}
    found = identify(store, recording, probe="sparse", save=folder, **asked)  # type: ignore[arg-type]
    again = identify(folder, recording, **asked)  # type: ignore[arg-type]
    np.testing.assert_allclose(again["probability"], found["probability"])
    _, facts = load_decoder(folder)
    assert facts.n_subjects == 12
    assert facts.interval[1] - facts.interval[0] > 0.3


def test_without_pairs_there_is_no_column(protocol: Path) -> None:
    plain = vl.plan(protocol, ["subjects.paired=[]"]).to_dataset()
    assert "pair" not in plain
    assert "pair" in vl.plan(protocol).to_dataset()


def test_groups_that_divide_pairs_can_be_held_out(protocol: Path, tmp_path: Path) -> None:
    overrides = ["name=thirds", "analyses.main.hold_out=learning_rate"]
    tree = vl.run(protocol, overrides, store=tmp_path / "thirds.zarr")
    verdict = tree["decoding/main"].to_dataset()
    thirds = [f"learning_rate: {name}" for name in ("high", "low", "middle")]
    assert sorted(verdict["held_out"].values.tolist()) == thirds
    assert verdict["held_out_accuracy"].notnull().all()
