"""Files of tasks: paths beside the protocol, and the digest that a stored protocol keeps."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.protocol.texts import complaints, small
from virtuallab.protocol import expand, read, read_text

TASK = "{name: images, path: mine.npz, train_images: 32, validation_images: 4, probe_images: 2}"


def write_images(folder: Path, shade: int = 0) -> None:
    stimuli = np.full((38, 8, 8), shade, np.uint8)
    stimuli[:, 0, 0] = np.arange(38)
    np.savez(folder / "mine.npz", stimuli=stimuli, labels=np.arange(38) % 2)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_images(tmp_path)
    (tmp_path / "p.yaml").write_text(small(("[digits]", f"[{TASK}]")))
    return tmp_path / "p.yaml"


def test_a_path_is_relative_to_the_protocol(file: Path) -> None:
    (task,) = read(file).resolved()["subjects"]["tasks"]
    assert task["path"] == str(file.with_name("mine.npz"))
    assert len(task["sha256"]) == 64


def test_what_is_resolved_reads_back(file: Path) -> None:
    first = read(file)
    again = read_text(json.dumps(first.resolved()))
    assert again.resolved() == first.resolved()


def test_a_changed_file_is_noticed_in_the_digest(file: Path) -> None:
    first = read(file).resolved()["subjects"]["tasks"][0]
    write_images(file.parent, shade=9)
    second = read(file).resolved()["subjects"]["tasks"][0]
    assert second == {**first, "sha256": second["sha256"]} != first


def moved(protocol: Path, folder: Path) -> Path:
    """The protocol in a new folder, together with its images."""
    folder.mkdir()
    for each in (protocol, protocol.with_name("mine.npz")):
        each.rename(folder / each.name)
    return folder / protocol.name


def test_the_same_files_elsewhere_give_the_same_subjects(file: Path, tmp_path: Path) -> None:
    here = expand(read(file))
    there = expand(read(moved(file, tmp_path / "elsewhere")))
    assert [subject.key for subject in there] == [subject.key for subject in here]
    assert [s.optimizer for s in there] == [s.optimizer for s in here]  # a drawn learning rate
    assert there[0].task.path != here[0].task.path


@pytest.fixture
def pretrained(file: Path) -> Path:
    """A protocol whose pretraining shows images from a file."""
    start = f"  start_from: {{task: {TASK}, steps: 3}}\n  replicates:"
    file.write_text(small(("  replicates:", start), ("batch_size: 32", "batch_size: 8")))
    return file


def test_files_of_a_pretraining_are_found_beside_the_protocol_too(pretrained: Path) -> None:
    task = read(pretrained).resolved()["subjects"]["start_from"]["task"]
    assert task["path"] == str(pretrained.with_name("mine.npz"))
    assert len(task["sha256"]) == 64


def test_the_place_of_files_of_a_pretraining_changes_no_subject(
    pretrained: Path, tmp_path: Path
) -> None:
    here = expand(read(pretrained))
    there = expand(read(moved(pretrained, tmp_path / "elsewhere")))
    assert [s.key for s in there] == [s.key for s in here]
    assert [s.optimizer for s in there] == [s.optimizer for s in here]


def test_a_file_that_is_missing_is_left_to_validation(file: Path) -> None:
    file.with_name("mine.npz").unlink()
    (task,) = read(file).resolved()["subjects"]["tasks"]
    assert task["sha256"] == ""


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("[a.npz, b.npz]", "found ['a.npz', 'b.npz']. Several files are several tasks."),
        ("null", "should be the path of a file or folder, found nothing"),
        ("''", "the path is empty."),
        ("3", "should be the path of a file or folder, found 3"),
    ],
)
def test_a_path_that_is_none_is_refused_at_its_place(path: str, words: str) -> None:
    (found,) = complaints(small(("[digits]", f"[{{name: images, path: {path}}}]")))
    assert found.startswith("p.yaml:7: subjects.tasks[0].path: ")
    assert words in found


def test_a_path_of_a_task_without_files_is_an_unknown_key() -> None:
    (found,) = complaints(small(("[digits]", "[{name: digits, path: x}]")))
    assert "subjects.tasks[0].path: unknown key" in found
    (found,) = complaints(small(("[digits]", "[{name: digitz, path: x}]")))
    assert "no task is called 'digitz'" in found
