"""The subjects of a protocol, and the store that keeps them."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from rich.console import Console

from tests.lab.stages.tiny import TEXT, WILD, tiny_plan
from virtuallab.errors import StoreError, UserError
from virtuallab.lab.planning.plan import Plan
from virtuallab.lab.services.workers import LocalPool
from virtuallab.lab.stages import experiment as stage
from virtuallab.lab.stages.experiment import (
    Experiment,
    home,
    open_experiment,
    open_partial,
    preserved,
    resume,
    train_all,
)
from virtuallab.protocol import read_text
from virtuallab.store import Store

QUIET = Console(quiet=True)
P = "probes={p: {observables: [activity], units: UNITS}}"


def made(root: Path, plan: Plan) -> Experiment:
    """An experiment whose costs are given instead of measured."""
    with mock.patch.object(stage, "measure_costs", lambda plan, _: plan):
        return open_experiment(plan, root, 1, QUIET)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A store whose subjects of one rule diverged, and what was said about it."""
    root, page = tmp_path_factory.mktemp("experiment") / "lab.zarr", io.StringIO()
    experiment = made(root, tiny_plan(WILD, P.replace("UNITS", "4")))
    train_all(experiment, pool=LocalPool(1), device="cpu", console=Console(file=page, width=300))
    return root, page.getvalue()


def test_the_first_subject_that_diverged_is_described(trained: tuple[Path, str]) -> None:
    assert "2 of 4 subjects diverged; they are marked and kept, the others went on." in trained[1]
    assert "The first: sub-0003 (wild, learning rate 1e+30) at step" in trained[1]


def test_only_subjects_that_can_be_recorded_are_listed(trained: tuple[Path, str]) -> None:
    experiment = resume(Store.open(trained[0]))
    assert experiment.recorded["rule"].values.tolist() == ["backprop", "backprop"]
    assert experiment.recorded.sizes["subject"] == 2
    assert experiment.beside("mine.csv") == trained[0].parent / "mine.csv"


def test_a_plan_is_laid_out_from_the_protocol_that_the_store_keeps(
    trained: tuple[Path, str],
) -> None:
    found = resume(Store.open(trained[0])).plan
    wanted = tiny_plan(WILD)
    assert [each.key for each in found.subjects] == [each.key for each in wanted.subjects]
    assert found.visits == wanted.visits


def test_a_store_of_other_subjects_is_refused_with_the_setting(trained: tuple[Path, str]) -> None:
    with pytest.raises(StoreError, match=r"made from another protocol: .*steps.*--store"):
        made(trained[0], tiny_plan(WILD, "subjects.steps=8"))


def test_a_further_probe_is_welcome_and_a_changed_one_is_refused(trained: tuple[Path, str]) -> None:
    more = "probes={p: {observables: [activity], units: 4}, q: {observables: [weights]}}"
    assert made(trained[0], tiny_plan(WILD, more)).store.path == trained[0]
    with pytest.raises(StoreError, match=r"probes\.p\.units.*give a changed probe another name"):
        made(trained[0], tiny_plan(WILD, P.replace("UNITS", "3")))


def test_subjects_of_another_experiment_are_taken_if_all_are_trained(
    trained: tuple[Path, str], tmp_path: Path
) -> None:
    def taken(root: Path) -> Experiment:
        return preserved(
            tiny_plan(), root, None, workers=1, pool=LocalPool(1), device="cpu", console=QUIET
        )

    assert taken(trained[0]).plan.protocol.name == "tiny"
    made(tmp_path / "new.zarr", tiny_plan())
    with pytest.raises(UserError, match="0 of 4 subjects are trained"):
        taken(tmp_path / "new.zarr")


def test_an_experiment_is_opened_as_far_as_it_has_come(
    trained: tuple[Path, str], tmp_path: Path
) -> None:
    root = tmp_path / "half.zarr"
    experiment = made(root, tiny_plan(cohorts=[[0, 1]]))
    with mock.patch.object(Store, "write_table"):  # interrupted before the tables are written
        train_all(experiment, pool=LocalPool(1), device="cpu", console=QUIET)
    accuracy = open_partial(root)["truth/validation_performance"].values
    assert np.isfinite(accuracy).all(1).tolist() == [True, True, False, False]
    whole = open_partial(shutil.copytree(trained[0], tmp_path / "whole.zarr"))
    assert np.bincount(whole["subjects"]["status"].values).sum() == 4


def test_subjects_are_kept_under_the_name_of_the_protocol_unless_a_place_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    protocol = read_text(TEXT, name="tiny.yaml")
    assert home(protocol, None, None) == Path("runs/tiny.zarr")
    assert home(protocol, None, tmp_path / "b.zarr") == tmp_path / "b.zarr"
    assert home(protocol, tmp_path / "a.zarr", tmp_path / "b.zarr") == tmp_path / "a.zarr"
    (tmp_path / "mine").write_text("notes")
    with pytest.raises(StoreError, match="mine"):
        home(protocol, None, tmp_path / "mine" / "a.zarr")


def test_the_store_keeps_the_protocol_as_it_was_read(trained: tuple[Path, str]) -> None:
    kept = Store.open(trained[0]).provenance
    assert json.loads(kept["protocol_overrides"])[0] == WILD
    assert json.loads(kept["protocol_resolved"])["seed"] == 3


SIZES = "train_images: 16, validation_images: 10, probe_images: 10"
IMAGES = f"{{name: images, path: FILE, {SIZES}}}"


def with_images(folder: Path, shade: int, subjects: str = f"tasks=[{IMAGES}]") -> Plan:
    """A plan whose images, or those of whose pretraining, are in a file of a folder."""
    stimuli = np.full((36, 8, 8), shade, np.uint8)
    stimuli[:, 0, 0] = np.arange(36)
    folder.mkdir(exist_ok=True)
    np.savez(folder / "mine.npz", stimuli=stimuli, labels=np.arange(36) % 2)
    return tiny_plan(f"subjects.{subjects.replace('FILE', str(folder / 'mine.npz'))}")


@pytest.mark.parametrize(
    ("subjects", "place"),
    [
        (f"tasks=[{IMAGES}]", r"tasks\[0\]"),
        (
            f"tasks=[{{name: rotation, of: {{name: images, path: FILE}}, {SIZES}}}]",
            r"tasks\[0\]\.of",
        ),
        (f"start_from={{task: {IMAGES}, steps: 1, rule: backprop}}", r"start_from\.task"),
    ],
)
def test_a_store_is_continued_with_moved_files_but_not_with_changed_ones(
    subjects: str, place: str, tmp_path: Path
) -> None:
    root = tmp_path / "lab.zarr"
    made(root, with_images(tmp_path / "one", 1, subjects))
    moved = made(root, with_images(tmp_path / "two", 1, subjects))
    assert str(tmp_path / "two" / "mine.npz") in repr(moved.plan.subjects[0])
    with pytest.raises(StoreError, match=rf"another protocol: subjects\.{place}\.sha256 was \""):
        made(root, with_images(tmp_path / "two", 2, subjects))


def test_subjects_of_a_store_are_not_shown_changed_images(tmp_path: Path) -> None:
    root = tmp_path / "lab.zarr"
    made(root, with_images(tmp_path / "one", shade=1))
    with_images(tmp_path / "one", shade=2)
    task = resume(Store.open(root)).plan.subjects[0].task
    with pytest.raises(UserError, match=r"mine\.npz was changed: its digest is"):
        task.stimuli()
