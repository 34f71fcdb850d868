"""Descriptions of training subjects and of their recordings."""

from __future__ import annotations

import pytest

from tests.lab.stages.tiny import tiny_plan, tiny_store
from virtuallab.lab.identification.descriptions import of_design, of_subjects
from virtuallab.lab.stages.experiment import Experiment
from virtuallab.probes import Probe
from virtuallab.probes.readouts.spikes import Spikes
from virtuallab.registry import INDICATORS, NOISE_MODELS

ACTIVITY_ONLY = {"observables": ("activity",), "units": 5, "stimuli": 8, "visits": 2}


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    plan = tiny_plan("subjects.replicates=2", cohorts=[range(4)])
    return Experiment(plan, tiny_store(tmp_path_factory.mktemp("described"), plan))


def test_subjects_are_described_by_the_experiment_and_their_names(experiment: Experiment) -> None:
    found = of_subjects(experiment, [0, 3])
    assert (found["title"], found["question"]) == ("tiny", "Which rule?")
    assert (found["subjects"], found["n_subjects"]) == (("sub-0001", "sub-0004"), 2)
    assert (found["architectures"], found["tasks"]) == (("mlp",), ("digits",))


@pytest.mark.parametrize(
    ("settings", "noise", "snr", "units"),
    [
        ({}, "", None, "1"),
        ({"noise": NOISE_MODELS["gaussian"](snr=2.0)}, "snr", 2.0, "1"),
        ({"noise": NOISE_MODELS["gaussian"](unit_snr=3.0)}, "unit_snr", 3.0, "1"),
        ({"noise": NOISE_MODELS["gaussian"](sigma=0.1)}, "sigma", None, "1"),
        ({"spikes": Spikes()}, "", None, "spikes/s"),
        ({"calcium": INDICATORS["calcium"]()}, "", None, "dF/F"),
    ],
)
def test_recordings_are_described_by_their_noise_and_their_units(
    settings: dict[str, object], noise: str, snr: float | None, units: str, experiment: Experiment
) -> None:
    found = of_design(experiment, Probe(**ACTIVITY_ONLY, **settings))  # type: ignore[arg-type]
    assert (found["noise"], found["snr"], found["activity_units"]) == (noise, snr, units)
    assert (found["units"], found["stimuli"], found["visits"]) == ((5, 5), (8, 8), (0, 2))
