"""Decoders for a recording: of a probe, or of subjects recorded as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

from tests.lab.stages.tiny import tiny_plan, trained_store
from tests.recordings.files import plain, read
from virtuallab.errors import UserError
from virtuallab.lab.identification.decoder_training import DecoderSettings
from virtuallab.lab.identification.matched_decoder import (
    matched_decoder,
    placement,
    probe_decoder,
    sample_of,
)
from virtuallab.lab.services.workers import LocalPool
from virtuallab.lab.stages.experiment import Experiment
from virtuallab.lab.stages.record import declare, record_probes
from virtuallab.probes import Probe

WANTED = DecoderSettings(others=(), classifier="linear_svm", pool=LocalPool(1), nulls=())
QUIET = Console(quiet=True)
PROBES = {
    "few": Probe(observables=("activity",), units=4, stimuli=6, keep="statistics"),
    "once": Probe(observables=("activity",), units=4, stimuli=6, visits=1, keep="statistics"),
    "wires": Probe(observables=("weights",), synapses=4, keep="statistics"),
}
SETTINGS = (
    "subjects.replicates=4",
    "analyses={main: {folds: 2, inner_folds: 2, repeats: 1}}",
    "probes={few: {observables: [activity]}}",
)


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """Eight subjects, which both probes have recorded; a third probe has only its place."""
    plan = tiny_plan(*SETTINGS, cohorts=[range(4), range(4, 8)])
    store = trained_store(tmp_path_factory.mktemp("matched"), plan)
    declare(plan, store, PROBES)
    record_probes(plan, store, PROBES, LocalPool(1), lambda _: None)
    declare(plan, store, {"late": PROBES["few"]})
    return Experiment(plan, store)


def recording(folder: Path) -> xr.Dataset:
    return read(plain(), folder)


def test_a_sample_of_a_recording_has_the_columns_of_the_training_samples(
    experiment: Experiment, tmp_path: Path
) -> None:
    decoder, facts = probe_decoder(experiment, "few", WANTED, QUIET)
    sample = sample_of(recording(tmp_path), 0)
    assert facts.n_subjects == 8
    assert decoder.rules == ("backprop", "fa")
    assert decoder.predict(sample.values).probability.shape == (1, 2)


def test_visit_0_is_left_out_only_where_it_is_in_the_recording(tmp_path: Path) -> None:
    made = recording(tmp_path)
    assert (sample_of(made, 0).visits, sample_of(made, 1).visits) == (2, 3)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fewer", r"no probe 'fewer'. .*few"),
        ("wires", "probe 'wires' measured no activity"),
        ("once", "probe 'once' recorded one visit: there are no changes"),
        ("late", "probe 'late' has recorded 0 of 8 subjects: finish it with"),
    ],
)
def test_a_probe_that_cannot_train_a_decoder_is_refused_with_the_reason(
    name: str, message: str, experiment: Experiment
) -> None:
    with pytest.raises(UserError, match=message):
        probe_decoder(experiment, name, WANTED, QUIET)


def test_subjects_are_recorded_with_as_many_units_visits_and_stimuli_as_the_recording(
    experiment: Experiment, tmp_path: Path
) -> None:
    decoder, facts = matched_decoder(experiment, recording(tmp_path), WANTED, QUIET)
    assert facts.n_subjects == 8
    prediction = decoder.predict(sample_of(recording(tmp_path), 0).values)
    assert np.isfinite(prediction.probability).all()
    kept = [path.name for path in experiment.beside("lab.decoders").glob("matched-*")]
    assert len(kept) == 1


@pytest.mark.parametrize(
    ("step", "fractions", "said"),
    [
        (None, False, "evenly spread, because the recording has no 'step'"),
        ([0, 2, 4], False, "the steps nearest to those of the recording, 0 to 4"),
        ([0, 2, 4], True, "the same fractions of learning as those of the recording, 0 to 4"),
        ([0, 20, 40], False, "the same fractions of learning as those of the recording, 0 to 40"),
    ],
)
def test_where_subjects_are_recorded_is_said(
    step: list[int] | None, fractions: bool, said: str
) -> None:
    made = plain()
    if step is not None:
        made = made.assign_coords(step=("visit", step))
    told = placement(made, range(5), np.array([0, 2, 4]), fractions=fractions)
    assert told == f"subjects are recorded at steps 0 to 4 of 4, {said}"


def test_a_recording_of_more_units_than_the_subjects_have_is_refused(
    experiment: Experiment, tmp_path: Path
) -> None:
    values = np.random.default_rng(0).gamma(2.0, size=(3, 4, 500))
    many = xr.Dataset({"activity": (("visit", "stimulus", "unit"), values)})
    with pytest.raises(UserError, match=r"cannot be matched in these subjects: units: "):
        matched_decoder(experiment, read(many, tmp_path), replace(WANTED), QUIET)
