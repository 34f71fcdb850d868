"""References of a recording: files, and experiments of simulated twins."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

import virtuallab as vl
from tests.recordings.files import DIMS, responses
from tests.store.decoders.toy import METADATA
from virtuallab.decoder.features.samples import Samples
from virtuallab.errors import UserError
from virtuallab.lab.identification import references as module
from virtuallab.lab.identification.identify import identify
from virtuallab.lab.identification.matched_decoder import sample_of
from virtuallab.lab.identification.own_recordings import recorded_subjects
from virtuallab.lab.identification.references import (
    GivenRecording,
    Source,
    open_references,
    reference_values,
)
from virtuallab.lab.services.workers import LocalPool
from virtuallab.recordings import read_recording

PROTOCOL = """\
schema_version: 1
name: NAME
seed: 3
subjects:
  architectures: ARCHITECTURES
  tasks: [{name: digits, train_images: 160, validation_images: 40, probe_images: 12}]
  rules: [backprop, feedback_alignment]
  optimizer: {name: sgd, learning_rate: 0.05}
  replicates: 6
  batch_size: 16
  epochs: 1
  visits: 3
  cohort: 12
probes:
  some: {units: 6, stimuli: 8, observables: [activity], keep: recording}
  wires: {synapses: 6, observables: [weights], keep: statistics}
analyses:
  main: {observables: [activity], classifiers: [logistic_regression], folds: 2, inner_folds: 2, \
repeats: 1, permutations: 0}
"""
QUIET = Console(quiet=True)
POOL = LocalPool(1)
TWO = "[{name: mlp, hidden: [6]}, {name: convnet, depth: 1, channels: 2}]"
ONE = "[{name: mlp, hidden: [7]}]"
FACTS = replace(METADATA, visits=(0, 1, 2), stages=2, absent=(), probe_name="some")


def store_of(folder: Path, name: str, architectures: str) -> Path:
    """Return an experiment of twelve subjects a network, trained and recorded."""
    text = PROTOCOL.replace("NAME", name).replace("ARCHITECTURES", architectures)
    (folder / f"{name}.yaml").write_text(text)
    vl.run(folder / f"{name}.yaml", store=folder / f"{name}.zarr", workers=1)
    return folder / f"{name}.zarr"


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return store_of(tmp_path_factory.mktemp("ours"), "ours", TWO)


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return store_of(tmp_path_factory.mktemp("twins"), "twins", ONE)


def given(path: Path, subject: str | None = None) -> GivenRecording:
    return GivenRecording(paths=(path,), subject=subject, recording=read_recording(path, subject))


def animals(folder: Path, count: int = 4, visits: int = 3) -> Path:
    """A file of several subjects."""
    shape = (visits, 8, 6)
    values = np.stack([responses(seed, shape) for seed in range(count)])
    whole = xr.Dataset({"activity": (("subject", *DIMS), values)})
    whole = whole.assign_coords(subject=[f"animal {number}" for number in range(count)])
    whole.to_netcdf(folder / f"animals_{count}_{visits}.nc", engine="h5netcdf")
    return folder / f"animals_{count}_{visits}.nc"


def opened(
    paths: Sequence[Path], tested: GivenRecording, probe_name: str = "", fractions: bool = False
) -> list[Source]:
    return open_references(paths, tested, probe_name=probe_name, fractions=fractions)


def values_of(paths: Sequence[Path], tested: GivenRecording, probe_name: str = "") -> np.ndarray:
    sample = sample_of(tested.recording, 0)
    sources = opened(paths, tested, probe_name)
    return np.asarray(reference_values(sources, sample, FACTS, POOL, QUIET))


# Files


def test_every_subject_of_a_file_is_a_reference_but_the_tested_one(tmp_path: Path) -> None:
    file, more = animals(tmp_path), animals(tmp_path, 2)
    found = values_of([file, more], given(file, "animal 1"))
    assert len(found) == 3 + 2
    own = sample_of(read_recording(file, "animal 1"), 0).values
    first = sample_of(read_recording(file, "animal 0"), 0).values
    np.testing.assert_array_equal(found[0], first[0])
    assert not (found[:3] == own).all(1).any()


def test_a_recording_is_no_reference_of_itself(tmp_path: Path) -> None:
    animals(tmp_path, 1)
    one = tmp_path / "one.nc"
    xr.Dataset({"activity": (DIMS, responses(0, (3, 8, 6)))}).to_netcdf(one, engine="h5netcdf")
    for path, subject in ((one, None), (animals(tmp_path, 1), "animal 0")):
        with pytest.raises(UserError, match="there are no other subjects in it"):
            opened([path], given(path, subject))


def test_a_reference_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    file = animals(tmp_path)
    again = tmp_path / "there" / ".." / file.name
    (tmp_path / "there").mkdir()
    with pytest.raises(UserError, match=r"--reference: .*animals.* is given twice"):
        opened([file, again], given(file, "animal 1"))


def test_references_with_other_visits_are_refused(tmp_path: Path) -> None:
    file = animals(tmp_path)
    with pytest.raises(UserError, match=r"animals_2_5\.nc: its visits make 4 stages .* reads 2"):
        values_of([animals(tmp_path, 2, 5)], given(file, "animal 1"))


def test_references_without_anything_that_the_recording_has_are_refused(tmp_path: Path) -> None:
    file = animals(tmp_path)
    tested = given(file, "animal 1")
    sample = sample_of(tested.recording, 0)
    values = np.full_like(sample.values, np.nan)
    values[0, 0] = 1.0
    facts = replace(FACTS, absent=tuple(np.flatnonzero(np.isfinite(sample.values[0])).tolist()[1:]))
    sources = opened([file], tested)
    first = int(np.flatnonzero(np.isfinite(sample.values[0]))[0])
    empty = replace(sample, values=np.full_like(sample.values, np.nan))
    assert np.isfinite(reference_values(sources, sample, facts, POOL, QUIET)[:, first]).all()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "sample_of", lambda *_: empty)
        with pytest.raises(UserError, match="nothing is defined in the references"):
            reference_values(sources, sample, facts, POOL, QUIET)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    file = animals(tmp_path)
    with pytest.raises(UserError, match=r"none\.nc: there is no such file"):
        opened([tmp_path / "none.nc"], given(file, "animal 1"))


# Twins


def test_twins_are_read_by_the_probe_of_that_name(twins: Path, tmp_path: Path) -> None:
    file = animals(tmp_path)
    by_store = values_of([twins], given(file, "animal 1"), "some")
    assert len(by_store) == 12
    by_node = values_of([twins / "recordings" / "some" / "mlp"], given(file, "animal 1"))
    np.testing.assert_allclose(by_node, by_store, rtol=1e-3, atol=1e-3)


def test_twins_are_recorded_as_the_recording_was(twins: Path, tmp_path: Path) -> None:
    file = animals(tmp_path)
    assert len(values_of([twins], given(file, "animal 1"))) == 12


def test_the_tested_subject_is_none_of_its_twins(twins: Path) -> None:
    node = twins / "recordings" / "some" / "mlp"
    assert len(values_of([twins], given(node, "sub-0003"), "some")) == 11
    assert len(values_of([node], given(node, "sub-0003"))) == 11


def test_subjects_of_another_network_have_no_recording_in_a_node(ours: Path) -> None:
    node = ours / "recordings" / "some" / "convnet"
    subjects = recorded_subjects(node)
    assert subjects is not None
    assert len(subjects) == 12
    assert len(values_of([node], given(node, min(subjects)))) == 11


def test_rules_of_twins_have_no_part(
    twins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tested = given(animals(tmp_path), "animal 1")
    before = values_of([twins], tested, "some")
    real = module.probe_samples

    def permuted(*given: object) -> Samples:
        found = real(*given)  # type: ignore[arg-type]
        return replace(found, labels=np.random.default_rng(0).permutation(found.labels))

    monkeypatch.setattr(module, "probe_samples", permuted)
    np.testing.assert_array_equal(values_of([twins], tested, "some"), before)


@pytest.mark.parametrize(
    ("probe_name", "message"),
    [
        ("sum", r"no probe 'sum'\. Known: some, wires"),
        ("wires", "probe 'wires' measured no activity"),
    ],
)
def test_twins_without_such_a_probe_are_refused(
    probe_name: str, message: str, twins: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message):
        opened([twins], given(animals(tmp_path), "animal 1"), probe_name)


def test_twins_of_several_kinds_are_refused(ours: Path, twins: Path, tmp_path: Path) -> None:
    words = r"of 2 kinds \(convnet digits, mlp digits\), and references are of one"
    for paths in ([ours], [twins, ours]):
        with pytest.raises(UserError, match=words):
            opened(paths, given(animals(tmp_path), "animal 1"), "some")


def test_twins_that_cannot_be_recorded_so_are_refused(twins: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="5 visits, and subjects were preserved at 3"):
        opened([twins], given(animals(tmp_path, 2, 5), "animal 1"))


# Identification


@pytest.mark.slow
def test_a_recording_is_identified_relative_to_references(
    ours: Path, twins: Path, tmp_path: Path
) -> None:
    page, folder = io.StringIO(), tmp_path / "relative.decoder"
    file = animals(tmp_path)
    asked = {"subject": "animal 1", "reference": [file, twins]}
    found = identify(
        ours,
        file,
        match=True,
        workers=1,
        save=folder,
        verbose=Console(file=page, width=2000),
        **asked,  # type: ignore[arg-type]
    )
    said = page.getvalue()
    assert found.attrs["references"] == 3 + 12
    assert found.attrs["kind_names"] == ["convnet digits", "mlp digits"]
    assert "Features are read relative to the centre of 15 references" in said
    assert "References of one unknown rule remove the signal" in said
    assert "On a kind that is not in training (each of 2 kinds held out in turn)" in said
    assert list((ours.parent / "ours.decoders").glob("matched-*-referenced.decoder"))
    again = identify(folder, file, workers=1, **asked)  # type: ignore[arg-type]
    xr.testing.assert_allclose(again.drop_attrs(), found.drop_attrs())
    fewer = identify(folder, file, subject="animal 1", reference=twins)
    assert not np.allclose(fewer["probability"], found["probability"], atol=1e-6)
    with pytest.raises(UserError, match=r"reads features relative to references\. Give them with"):
        identify(folder, file, subject="animal 1")


@pytest.mark.slow
def test_a_decoder_without_centres_takes_no_references(
    ours: Path, twins: Path, tmp_path: Path
) -> None:
    node, folder = ours / "recordings" / "some" / "mlp", tmp_path / "plain.decoder"
    subject = min(recorded_subjects(node) or ())
    found = identify(ours, node, subject=subject, probe="some", workers=1, save=folder)
    assert found.attrs["references"] == 0
    assert list(found.attrs["held_out_kinds"]) == ["none"]
    with pytest.raises(UserError, match=r"was trained without references\. Leave --reference out"):
        identify(folder, node, subject=subject, reference=twins)


def test_training_subjects_of_one_kind_are_refused(twins: Path, tmp_path: Path) -> None:
    file = animals(tmp_path)
    words = r"--reference: the training subjects of .*twins\.zarr are of one kind \(mlp digits\)"
    with pytest.raises(UserError, match=words):
        identify(twins, file, subject="animal 1", match=True, reference=file, workers=1)
