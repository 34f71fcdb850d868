"""A decoder asked of recordings: of an experiment's own subjects, of foreign ones, of bad files."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from rich.console import Console
from typer.testing import CliRunner

import virtuallab as vl
from tests.lab import elsewhere, elsewhere_nulls
from virtuallab.cli import app
from virtuallab.errors import StoreError, UserError
from virtuallab.lab.identification import decoder_training
from virtuallab.lab.identification.identify import identify
from virtuallab.lab.identification.matched_decoder import sample_of
from virtuallab.lab.services.workers import torch_threads
from virtuallab.recordings import matching_probe, read_recording
from virtuallab.reporting.tables.identification import verdict
from virtuallab.store.decoders.persistence import load_decoder, save_decoder

pytestmark = pytest.mark.slow  # an experiment is trained, and decoders on its subjects

PROTOCOL = """\
schema_version: 1
name: ours
question: Which rule was at work in a recording made elsewhere?
seed: 11
subjects:
  architectures: [knet4, {name: convnet, depth: 3, channels: 12}]
  tasks: [{name: digits, probe_images: 40}]
  rules:
    - {name: backprop, label: sgdm}
    - name: backprop
      label: adam
      optimizer: {name: adam, learning_rate: {log_uniform: [1e-3, 5e-3]}}
    - feedback_alignment
    - {name: backprop, label: slow, replicates: 3, optimizer: {name: sgd, learning_rate: 1e-3}}
  optimizer: {name: sgd, learning_rate: {log_uniform: [0.01, 0.05]}, momentum: 0.9}
  replicates: 8
  batch_size: 32
  steps: 160
  visits: 9
  cohort: 8
probes:
  sparse: {units: 60, noise: {snr: 4.0}, visits: 5, observables: [activity]}
  wires: {synapses: 60, observables: [weights], visits: 2, keep: statistics}
"""
OURS = "recordings/sparse/convnet"


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("identify")
    (folder / "ours.yaml").write_text(PROTOCOL)
    vl.run(folder / "ours.yaml", store=folder / "ours.zarr", workers=1)
    return folder / "ours.zarr"


@pytest.fixture(scope="module")
def decoder(experiment: Path) -> Path:
    """A saved decoder of the probe ``sparse``."""
    folder = experiment.parent / "sparse.decoder"
    identify(
        experiment,
        experiment / OURS,
        subject="sub-0001",
        probe="sparse",
        others=["slow"],
        workers=1,
        save=folder,
    )
    return folder


def named(found: xr.Dataset) -> str:
    return str(found["rule"].values[found["probability"].values.argmax()])


def foreign(file: Path, seed: int = 0, rule: str = "adam") -> Path:
    with torch_threads(1):
        elsewhere.record(rule, seed, file)
    return file


# Recordings made elsewhere


def test_rules_of_networks_trained_elsewhere_are_named(experiment: Path, tmp_path: Path) -> None:
    found = {}
    for rule in elsewhere.RULES:
        for seed in range(3):
            recording = foreign(tmp_path / f"{rule}-{seed}.nc", seed, rule)
            found[rule, seed] = identify(
                experiment, recording, match=True, others=["slow"], workers=1
            )
    right = [named(answer) == rule for (rule, _), answer in found.items()]
    assert sum(right) >= 7, "of 9; chance is 3"
    held = [bool(answer["in_set"].sel(rule=rule)) for (rule, _), answer in found.items()]
    assert sum(held) >= 5, "sets are to hold the true rule in 9 of 10 of our own subjects"
    assert all(float(answer["typical"]) > 0.01 for answer in found.values())
    assert all(not answer.attrs["differences"] for answer in found.values())
    made = {folder.name for folder in (experiment.parent / "ours.decoders").glob("matched-*")}
    assert len(made) == 1, "they are of one design, so one decoder is trained for all"


def test_a_rule_that_is_not_to_be_named_is_not(experiment: Path, tmp_path: Path) -> None:
    said = [
        verdict(
            identify(
                experiment,
                foreign(tmp_path / f"{seed}.nc", seed, "sgdm"),
                match=True,
                others=["slow", "sgdm"],
                workers=1,
            )
        )
        for seed in range(3)
    ]
    assert sum(text.startswith("None of these") for text in said) >= 2, said
    assert not any(text.startswith("The rule is") for text in said), said


@pytest.mark.parametrize("kind", elsewhere_nulls.KINDS)
def test_where_nothing_was_learned_elsewhere_no_rule_is_named(
    kind: str, experiment: Path, tmp_path: Path
) -> None:
    with torch_threads(1):
        for seed in range(2):
            elsewhere_nulls.record(kind, seed, tmp_path / f"{seed}.nc")
    for seed in range(2):
        found = identify(
            experiment, tmp_path / f"{seed}.nc", match=True, others=["slow"], workers=1
        )
        assert bool(found["in_set"].sel(rule="no learning"))
        assert not verdict(found).startswith(("The rule is", "Most similar")), verdict(found)
        if kind == "static":
            assert float(found["changed"]) > 0.05


def test_subjects_that_learned_elsewhere_are_seldom_called_no_learning(
    experiment: Path, tmp_path: Path
) -> None:
    answers = [
        identify(
            experiment,
            foreign(tmp_path / f"{rule}-{seed}.nc", seed, rule),
            match=True,
            others=["slow"],
            workers=1,
        )
        for rule in elsewhere.RULES
        for seed in range(3)
    ]
    assert sum(bool(each["in_set"].sel(rule="no learning")) for each in answers) <= 2, "of nine"
    assert all(float(each["changed"]) <= 0.05 for each in answers)


def test_noise_is_nothing_that_a_decoder_knows(experiment: Path, tmp_path: Path) -> None:
    recording = xr.load_dataset(foreign(tmp_path / "a.nc"))
    values = np.random.default_rng(0).standard_normal(recording["activity"].shape)
    recording["activity"].values[:] = values
    recording.to_netcdf(tmp_path / "noise.nc", engine="h5netcdf")
    found = identify(experiment, tmp_path / "noise.nc", match=True, others=["slow"], workers=1)
    assert bool(found["in_set"].sel(rule="no learning"))
    assert verdict(found).startswith(("No learning", "Cannot tell", "Outside")), verdict(found)


def test_what_the_recording_lacks_is_left_out_of_training(experiment: Path, tmp_path: Path) -> None:
    file, folder = tmp_path / "no_classes.nc", tmp_path / "no_classes.decoder"
    whole = xr.load_dataset(foreign(tmp_path / "a.nc")).drop_vars("stimulus_label")
    whole.to_netcdf(file, engine="h5netcdf")
    found = identify(experiment, file, match=True, others=["slow"], workers=1, save=folder)
    assert found.attrs["differences"] == []
    trained, facts = load_decoder(folder)
    read = sample_of(read_recording(file), 0).values[0]
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(read)), facts.absent)
    assert 0 < len(facts.absent) < len(read) / 2
    # A column of which nothing was learned is the same for all, and decides nothing.
    scale = trained.estimator["prepare"].named_transformers_["rest"]["scale"]
    assert (scale.var_[list(facts.absent)] == 0).all()


# Recordings of the experiment itself


def test_a_recording_of_ours_is_identified_with_the_decoder_of_its_probe(
    experiment: Path, decoder: Path
) -> None:
    kept = experiment.parent / "ours.decoders" / "sparse.decoder"
    assert kept.is_dir()
    trained, facts = load_decoder(decoder)
    assert trained.rules == ("adam", "feedback_alignment", "sgdm")
    assert facts.others == ("slow",)
    assert facts.units == (60, 60)
    assert facts.visits == (0, 2, 4, 6, 8)
    assert facts.snr == 4.0
    assert facts.n_subjects == 48
    assert 0.6 < facts.interval[0] <= facts.accuracy <= facts.interval[1] <= 1
    subjects = vl.open(experiment)["subjects"].to_dataset()
    for place in (0, 8, 16):  # one of each rule
        name = str(subjects["subject"].values[place])
        found = identify(decoder, experiment / OURS, subject=name)
        assert named(found) == str(subjects["rule"].values[place])
        assert not [line for line in found.attrs["differences"] if "signal" not in line]


def test_a_decoder_that_is_kept_is_taken_and_one_that_does_not_fit_is_trained_anew(
    experiment: Path, decoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainings = []
    real = decoder_training.cross_validate_calibrated

    def counting(*words: object, **named: object) -> object:
        trainings.append(1)
        return real(*words, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(decoder_training, "cross_validate_calibrated", counting)

    def ask(**settings: object) -> xr.Dataset:
        return identify(
            experiment,
            experiment / OURS,
            subject="sub-0002",
            probe="sparse",
            workers=1,
            **{"others": ["slow"], **settings},  # type: ignore[arg-type]
        )

    first = ask()
    assert not trainings
    xr.testing.assert_identical(ask(), first)
    assert not trainings
    ask(classifier="logistic_regression")
    assert len(trainings) == 1
    kept = experiment.parent / "ours.decoders" / "sparse.decoder"
    (kept / "model.skops").write_bytes(b"damaged")
    again = ask()
    assert len(trainings) == 2
    xr.testing.assert_identical(again, first)


def test_where_nothing_can_be_written_the_answer_is_given_all_the_same(
    experiment: Path, decoder: Path
) -> None:
    folder = experiment.parent / "ours.decoders"
    folder.rename(folder.with_name("aside"))
    folder.write_text("a file in the way")
    console = Console(file=io.StringIO(), width=200)
    try:
        found = identify(
            experiment,
            experiment / OURS,
            subject="sub-0002",
            probe="sparse",
            others=["slow"],
            classifier="logistic_regression",
            workers=1,
            verbose=console,
        )
    finally:
        folder.unlink()
        folder.with_name("aside").rename(folder)
    assert named(found) in ("adam", "feedback_alignment", "sgdm", "slow")
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "The decoder could not be kept for the next recording: " in said
    assert "ours.decoders" in said
    assert "steps: 11 of 11" in said


def test_a_decoder_that_cannot_be_written_where_it_should_is_refused_at_once(
    experiment: Path, tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match=r"a decoder's name ends in \.decoder"):
        identify(experiment, tmp_path / "no_recording.nc", match=True, save=tmp_path / "mine")


def test_what_is_missing_in_the_recording_is_said_in_the_answer(
    decoder: Path, experiment: Path, tmp_path: Path
) -> None:
    whole = read_recording(experiment / OURS, "sub-0001")
    gaps = whole[["activity"]].assign_coords(layer=("unit", whole["unit_layer"].values))
    gaps["activity"].values[3, :, 7] = np.nan
    gaps["activity"].values[1, 5, 9] = np.nan
    gaps.to_netcdf(tmp_path / "gaps.nc", engine="h5netcdf")
    found = identify(decoder, tmp_path / "gaps.nc")
    assert "(2 units at visits 1, 3), left out" in found.attrs["notes"][0]
    assert any("responses missing: 0.042 %" in each for each in found.attrs["differences"])


def test_the_command_prints_the_answer(decoder: Path, experiment: Path) -> None:
    done = CliRunner(env={"COLUMNS": "100"}).invoke(
        app, ["identify", str(decoder), str(experiment / OURS), "--subject", "sub-0001"]
    )
    assert done.exit_code == 0, done.output
    assert "Probability of each answer, from activity" in done.output
    assert "no learning" in done.output
    assert "The decoder was trained on sub-0001 of ours" in done.output.replace("\n", " ")
    assert re.search(r"(The rule is|Most similar to) Adam \(probability", done.output)
    assert "on subjects not used for training" in done.output


# What cannot be asked


def test_an_experiment_has_to_be_told_what_to_train_on(experiment: Path) -> None:
    def ask(**settings: object) -> xr.Dataset:
        one = {"subject": "sub-0001", "workers": 1, **settings}
        return identify(experiment, experiment / OURS, **one)  # type: ignore[arg-type]

    with pytest.raises(UserError, match=r"--match records.*--probe sparse, --probe wires"):
        ask()
    with pytest.raises(UserError, match="either --match or --probe"):
        ask(match=True, probe="sparse")
    with pytest.raises(UserError, match=r"no probe 'spars'\. Did you mean 'sparse'"):
        ask(probe="spars")
    with pytest.raises(UserError, match="'wires' measured no activity"):
        ask(probe="wires")
    with pytest.raises(UserError, match=r"--others: no rule 'slw'\. Did you mean 'slow'"):
        ask(probe="sparse", others=["slw"])
    with pytest.raises(UserError, match=r"--classifier: no classifier 'svm'"):
        ask(probe="sparse", classifier="svm", others=["slow"])
    with pytest.raises(UserError, match="6 subjects per rule cannot be split"):
        ask(probe="sparse")


def test_a_saved_decoder_is_trained_already(decoder: Path, experiment: Path) -> None:
    with pytest.raises(UserError, match=r"trained already: --match, --others"):
        identify(decoder, experiment / OURS, subject="sub-0001", match=True, others=["slow"])


def test_there_has_to_be_a_decoder(experiment: Path, tmp_path: Path) -> None:
    ours = experiment / OURS
    with pytest.raises(StoreError, match="there is no decoder"):
        identify(tmp_path / "none.decoder", ours, subject="sub-0001")
    with pytest.raises(StoreError, match="there is no experiment"):
        identify(tmp_path / "none.zarr", ours, subject="sub-0001")


def test_more_units_than_our_subjects_have_cannot_be_matched(
    experiment: Path, tmp_path: Path
) -> None:
    values = np.random.default_rng(0).random((3, 10, 5000))
    file = xr.Dataset({"activity": (("visit", "stimulus", "unit"), values)})
    file.to_netcdf(tmp_path / "many.nc", engine="h5netcdf")
    with pytest.raises(UserError, match=r"cannot be matched in these subjects: units: 5000"):
        identify(experiment, tmp_path / "many.nc", match=True, others=["slow"], workers=1)


def repeated(of: xr.Dataset) -> xr.Dataset:
    return of.isel(unit=[0, 0, 1, 2])


def with_a_gap(of: xr.Dataset) -> xr.Dataset:
    return of.where(of["visit"] != 1)


BAD: dict[str, tuple[Callable[[xr.Dataset], xr.Dataset], str]] = {
    "one visit": (lambda of: of.isel(visit=[0]), "one visit shows no change"),
    "no units": (lambda of: of.isel(unit=[]), "there are no units"),
    "a unit twice": (repeated, "exactly as another does"),
    "a unit's name twice": (
        lambda of: of.assign_coords(unit=[0, 0, *range(2, of.sizes["unit"])]),
        "stand for several units",
    ),
    "nothing but NaN": (lambda of: of * np.nan, "all responses are missing"),
    "a visit of NaN": (with_a_gap, "responses are missing"),
    "other dims": (lambda of: of.rename(visit="day"), "expected"),
    "other visits": (lambda of: of.isel(visit=slice(3)), "2 stages of learning, not 4"),
}


# Of a recording that is matched there may be as many visits as it has.
@pytest.mark.parametrize(
    ("kind", "match"), [(k, m) for k in BAD for m in (False, True) if k != "other visits" or not m]
)
def test_a_bad_recording_is_refused_in_words(
    kind: str, match: bool, experiment: Path, decoder: Path, tmp_path: Path
) -> None:
    values = np.random.default_rng(0).random((5, 10, 8)).astype("f4")
    whole = xr.Dataset({"activity": (("visit", "stimulus", "unit"), values)})
    change, said = BAD[kind]
    change(whole).to_netcdf(tmp_path / "bad.nc", engine="h5netcdf")
    asked = experiment if match else decoder
    with pytest.raises(UserError, match=said):
        identify(asked, tmp_path / "bad.nc", match=match, workers=1)


# Where visits lie


def test_the_first_visit_counts_where_it_comes_after_the_start(
    experiment: Path, decoder: Path, tmp_path: Path
) -> None:
    """A recording that began late is matched by one that began late, of as many stages."""
    late = xr.load_dataset(foreign(tmp_path / "a.nc")).isel(visit=slice(2, None))
    late.to_netcdf(tmp_path / "late.nc", engine="h5netcdf")
    read = read_recording(tmp_path / "late.nc")
    probe = matching_probe(read, range(0, 161, 20))
    assert probe.visits == (2, 3, 4, 5, 6, 7, 8)
    found = identify(experiment, tmp_path / "late.nc", match=True, others=["slow"], workers=1)
    assert not [line for line in found.attrs["differences"] if line.startswith("visits")]
    sample = sample_of(read, 2)
    assert sample.visits == 7
    assert sample_of(read, 0).visits == 6


def test_differences_are_named(experiment: Path, decoder: Path, tmp_path: Path) -> None:
    recording = xr.load_dataset(foreign(tmp_path / "a.nc")).isel(visit=slice(0, 9, 2))
    small = recording.isel(unit=slice(0, 30), stimulus=slice(0, 20))
    small.drop_vars("stimulus_label").to_netcdf(tmp_path / "small.nc", engine="h5netcdf")
    found = identify(decoder, tmp_path / "small.nc")
    told = found.attrs["differences"]
    assert told[:4] == [
        "units: 30, trained on 60",
        "stimuli: 20, trained on 40",
        "layers: 1, trained on 4",
        "signal-to-noise ratio: not known, trained on 4",
    ]
    assert "of what the decoder reads is not defined in the recording" in told[4]


def test_learning_that_went_on_for_longer_is_matched_by_its_fractions_and_named(
    experiment: Path, tmp_path: Path
) -> None:
    recording = xr.load_dataset(foreign(tmp_path / "a.nc"))
    longer = recording.assign_coords(step=3 * recording["step"])
    longer.to_netcdf(tmp_path / "longer.nc", engine="h5netcdf")
    told = io.StringIO()
    console = Console(file=told, width=200)
    found = identify(
        experiment, tmp_path / "longer.nc", match=True, others=["slow"], workers=1, verbose=console
    )
    assert found.attrs["differences"] == ["last visit: step 480, trained on step 160"]
    assert "160 of 160, the same fractions of learning as those of the recording, 0 to 480" in (
        told.getvalue()
    )


def test_a_shorter_recording_is_matched_by_its_steps_unless_fractions_are_wanted(
    experiment: Path, tmp_path: Path
) -> None:
    recording = xr.load_dataset(foreign(tmp_path / "a.nc")).isel(visit=slice(0, 5))
    recording.to_netcdf(tmp_path / "short.nc", engine="h5netcdf")
    for fractions, last in ((False, 80), (True, 160)):
        found = identify(
            experiment,
            tmp_path / "short.nc",
            match=True,
            fractions=fractions,
            others=["slow"],
            workers=1,
            save=tmp_path / "made.decoder",
        )
        _, facts = load_decoder(tmp_path / "made.decoder")
        assert facts.last_step == last
        named_so = "last visit: step 80, trained on step 160"
        assert (named_so in found.attrs["differences"]) == fractions


def test_fractions_say_something_of_a_match_alone(
    experiment: Path, decoder: Path, tmp_path: Path
) -> None:
    recording = foreign(tmp_path / "a.nc")
    with pytest.raises(UserError, match="Give it with --match"):
        identify(experiment, recording, probe="sparse", fractions=True)
    with pytest.raises(UserError, match="trained already: --fractions"):
        identify(decoder, recording, fractions=True)


def test_a_decoder_moves_with_its_folder(decoder: Path, experiment: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(decoder, tmp_path / "elsewhere.decoder"))
    here, there = (identify(d, experiment / OURS, subject="sub-0003") for d in (decoder, moved))
    xr.testing.assert_identical(here, there)
    trained, facts = load_decoder(moved)
    save_decoder(trained, replace(facts, title="renamed"), moved)
    assert identify(moved, experiment / OURS, subject="sub-0003").attrs["title"] == "renamed"
