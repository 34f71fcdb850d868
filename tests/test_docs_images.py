"""The page on images of one's own is followed step by step."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import virtuallab as vl
from virtuallab.lab.init import write_starter
from virtuallab.lab.planning.validation import faults_in

PAGE = Path(__file__).parent.parent / "docs" / "questions" / "use_your_own_images.md"
LINE = "  tasks: [digits]\n"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), flags=re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the page's Python was run, with the protocol that ``init`` writes."""
    monkeypatch.chdir(tmp_path)
    exec(compile("\n".join(blocks("python")), PAGE.name, "exec"), {})
    write_starter(tmp_path / "pictures.yaml")
    return tmp_path


def with_tasks(folder: Path, tasks: str) -> Path:
    """The protocol, with the tasks of a block in the place of the line that the page names."""
    path = folder / "pictures.yaml"
    text = path.read_text("utf-8")
    assert text.count(LINE) == 1
    path.write_text(text.replace(LINE, tasks), encoding="utf-8")
    return path


def test_the_page_has_a_protocol_for_arrays_and_for_folders() -> None:
    assert len(blocks("yaml")) == 3
    assert f"`{LINE.strip()}`" in PAGE.read_text("utf-8")


@pytest.mark.parametrize("tasks", blocks("yaml"))
def test_what_the_page_shows_is_valid_with_the_files_it_makes(tasks: str, folder: Path) -> None:
    assert faults_in([with_tasks(folder, tasks)]) == []


@pytest.mark.slow
def test_subjects_learn_the_images_of_the_page(folder: Path) -> None:
    overrides = (
        "subjects.replicates=4",
        "subjects.rules=[backprop, feedback_alignment]",
        "subjects.visits=3",
        "subjects.epochs=4",
        "analyses={}",
    )
    path = with_tasks(folder, blocks("yaml")[0])
    tree = vl.run(path, overrides, store=folder / "mine.zarr", workers=1)
    accuracy = tree["truth/validation_performance"].values[:, -1]
    assert np.median(accuracy) > 0.5  # three classes: chance is 0.33
