"""Noise is set on networks that know no rule, and a control shows that it tells nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

import virtuallab as vl
from tests.journeys.conftest import PROTOCOL
from tests.probes.rat import N_VISITS, SIZES, Rat, rat, set_on_rats, stream
from virtuallab.decoder import Analysis
from virtuallab.decoder.controls.common.chance import holm
from virtuallab.decoder.controls.common.control import ControlResult
from virtuallab.decoder.controls.signal_removed import SignalRemoved
from virtuallab.decoder.features.samples import by_subject
from virtuallab.decoder.task import DecodingTask
from virtuallab.lab.planning.network_group import N_REFERENCES, network_groups
from virtuallab.lab.planning.validation import make_plan
from virtuallab.lab.stages.reference import Reference, untrained_states
from virtuallab.probes import Calcium, GaussianNoise, Probe, Spikes
from virtuallab.probes.preparation import StaticPreparation
from virtuallab.probes.statistics.features import features
from virtuallab.protocol import expand, read
from virtuallab.registry import CLASSIFIERS
from virtuallab.store import Store

QUIET = Console(quiet=True)
RULES = {"slow": 1.0, "fast": 1.5}  # by how much responses grow between visits
EACH = 12


@dataclass(frozen=True, kw_only=True)
class NoiseOfTheVisit(GaussianNoise):
    """What noise once was: relative to the recorded layer's own spread at each visit."""

    own: dict[int, np.ndarray]  # by the size of the layer

    def deviation(self, spread: object) -> float:
        return 1.0

    def add(self, values, deviation, stream):  # type: ignore[no-untyped-def,override]
        noise = stream.standard_normal(values.shape, dtype=np.float32)
        scale = self.own[values.shape[-1]] / self.snr
        return (values + noise * scale[:, None, None]).astype(np.float32)


def learner(rule: str, seed: int) -> Rat:
    """A rat whose responses grow as its rule has them grow."""
    found = rat(seed)
    growth = RULES[rule] ** np.arange(N_VISITS, dtype=np.float32)
    for layer in SIZES:
        found.responses[layer][:] = found.responses[layer][:1] * growth[:, None, None]
    return found


def noise_alone(probe: Probe, *, of_the_visit: bool = False) -> ControlResult:
    """Evaluate the control for recordings of forty rats."""
    kept: dict[str, list[xr.Dataset]] = {"signal": [], "noise": []}
    labels = [rule for rule in RULES for _ in range(EACH)]
    for number, rule in enumerate(labels):
        preparation, own = learner(rule, number), probe
        if of_the_visit:
            spreads = {SIZES[n]: preparation.responses[n].std((1, 2)) for n in SIZES}
            own = replace(probe, noise=NoiseOfTheVisit(snr=probe.resolved.noise.snr, own=spreads))
        implant = own.implant(preparation, stream(number))
        still = StaticPreparation(rat(1000), N_VISITS)
        for kind, at in (("signal", preparation), ("noise", still)):
            seen = implant.record(at, stream(number + 500), set_on_rats(probe))
            kept[kind].append(features(seen))
    signal, noise = (
        xr.concat(each, "subject").assign_coords(
            subject=np.arange(len(labels)),
            rule=("subject", labels),
            depth_group=(("subject", "layer"), np.tile([0, 1, 2], (len(labels), 1))),
        )
        for each in kept.values()
    )
    return SignalRemoved().evaluate(
        DecodingTask(
            analysis=Analysis(folds=4, inner_folds=2, permutations=2),
            classifier=CLASSIFIERS["linear_svm"](),
            features=signal,
            samples=by_subject(signal, "activity"),
            observable="activity",
            seed=1,
            noise=noise if probe.resolved.is_noisy else None,
        )
    )


@pytest.mark.parametrize("ratio", [1e-5, 1.0])
def test_noise_alone_is_at_chance_and_was_not_where_it_followed_the_signal(ratio: float) -> None:
    probe = Probe(observables=("activity",), noise=GaussianNoise(snr=ratio))
    assert noise_alone(probe).passed
    before = noise_alone(probe, of_the_visit=True)
    assert not before.passed
    assert before.accuracy > 0.8


def test_spikes_are_counted_where_the_signal_was_removed() -> None:
    found = noise_alone(Probe(observables=("activity",), spikes=Spikes(trials=1)))
    assert found.passed
    assert found.note == ""


READOUTS: dict[str, dict[str, Any]] = {
    "irregular": {"spikes": Spikes(trials=1, fano_factor=2.0)},
    "regular": {"spikes": Spikes(trials=1, rate=100.0, fano_factor=0.5, refractory=0.002)},
    "common": {"spikes": Spikes(trials=1, correlation=0.25)},
    "photons": {"calcium": Calcium(rise=0.1, photons=5.0)},
    "amplitude": {"calcium": Calcium(amplitude=0.5, photons=5.0)},
    "order": {"calcium": Calcium(decay=2.0, order="random", photons=5.0)},
    "order_alone": {
        "calcium": Calcium(decay=2.0, order="random"),
        "noise": GaussianNoise(snr=1e-5),
    },
    "correlated": {"noise": GaussianNoise(snr=1e-5, correlation=0.25)},
}


@pytest.mark.slow
def test_no_readout_leaves_the_rule_where_the_signal_was_removed() -> None:
    """Tested together, as the controls of an analysis are, beside noise that leaves it."""
    found = {
        name: noise_alone(Probe(observables=("activity",), **settings))
        for name, settings in READOUTS.items()
    }
    assert {each.note for each in found.values()} == {""}
    follows = Probe(observables=("activity",), noise=GaussianNoise(snr=1e-5))
    found["follows the signal"] = noise_alone(follows, of_the_visit=True)
    rejected = holm(np.array([each.p_value for each in found.values()]), 0.95)
    assert [name for name, each in zip(found, rejected, strict=True) if each] == [
        "follows the signal"
    ]


@pytest.mark.parametrize(
    "settings",
    [
        {"noise": GaussianNoise(snr=1.0, correlation=0.2)},
        {"spikes": Spikes(fano_factor=2.0, refractory=0.002, correlation=0.2)},
        {"calcium": Calcium(rise=0.1, amplitude=0.5, photons=5.0, order="random")},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_without_signal_a_subject_leaves_nothing_of_its_rule(settings: dict[str, Any]) -> None:
    """Subjects of two rules at one place, with one noise, are the same to the digit."""
    probe = Probe(observables=("activity",), units_per_layer=3, **settings)
    still = StaticPreparation(rat(1000), N_VISITS)
    slow, fast = (
        probe.implant(learner(rule, number), stream(1)).record(still, stream(2), set_on_rats(probe))
        for number, rule in enumerate(RULES)
    )
    xr.testing.assert_identical(slow, fast)
    signal = probe.implant(learner("fast", 1), stream(1)).record(
        learner("fast", 1), stream(2), set_on_rats(probe)
    )
    assert (signal["activity"] != fast["activity"]).any()


def test_without_noise_there_is_nothing_to_tell() -> None:
    found = noise_alone(Probe(observables=("activity",)))
    assert (found.accuracy, found.passed) == (0.5, True)
    assert found.note == "the recording has no noise"


def made(text: str, folder: Path) -> list[np.ndarray]:
    path = folder / "p.yaml"
    path.write_text(text, encoding="utf-8")
    plan = make_plan(read(path))
    return [untrained_states(group, plan.protocol.seed) for group in plan.network_groups]


def test_reference_networks_depend_on_the_network_and_the_seed_alone(tmp_path: Path) -> None:
    knet, mlp = made(PROTOCOL, tmp_path)
    assert knet.shape[0] == mlp.shape[0] == N_REFERENCES
    others = PROTOCOL.replace("- feedback_alignment", "- sign_symmetry").replace(
        "{name: knet4, channels: [3, 4, 4]}, ", ""
    )
    [alone] = made(others.replace("replicates: 4", "replicates: 5"), tmp_path)
    np.testing.assert_array_equal(alone, mlp)
    [another] = made(others.replace("seed: 3", "seed: 4"), tmp_path)
    assert (another != mlp).any(1).all()
    assert len(np.unique(mlp, axis=0)) == N_REFERENCES


@pytest.mark.slow
def test_an_experiment_keeps_them_and_asks_what_noise_alone_tells(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(PROTOCOL, encoding="utf-8")
    store = tmp_path / "small.zarr"
    tree = vl.run(path, store=store, workers=1, verbose=QUIET)
    assert tree["references/mlp"]["state"].dims == ("network", "parameter")
    found = tree["decoding/main"].to_dataset().squeeze()
    asked = found.sel(control="signal_removed")
    notes = dict(zip(found["probe"].values, asked["control_note"].values, strict=True))
    assert notes["whole"] == "the recording has no noise"
    assert notes["sparse"] == ""
    assert np.isfinite(asked["control_accuracy"].sel(probe="sparse"))
    assert "signal_removed/whole" not in Store.open(store).nodes()
    kept = Reference(
        network_groups(expand(read(path)))[1], tree["references/mlp"]["state"].to_numpy(), 3
    )
    deviations = tree["recordings/sparse/mlp"].attrs["noise"]
    [calibration] = kept.calibrations([read(path).probes["sparse"]])
    assert calibration is not None
    spread = calibration.spreads["activity"]["fc1"]
    assert f"{spread.layer / 2}" in deviations
    before = tree["references/mlp"]["state"].to_numpy()
    chunk = next(p for p in (store / "references/mlp/state/c").rglob("*") if p.is_file())
    chunk.write_bytes(b"damaged")
    vl.run(path, store=store, workers=1, verbose=QUIET)
    again = Store.open(store).read("references/mlp")["state"].to_numpy()
    np.testing.assert_array_equal(again, before)
