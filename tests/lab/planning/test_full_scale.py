"""The protocol of the published size, with small files in the place of the data sets."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.subject.tasks.examples import (
    verify_small_files,
    write_cifar10,
    write_imagenet,
    write_wav_folder,
)
from virtuallab.errors import ProtocolError
from virtuallab.lab.planning.validation import make_plan
from virtuallab.protocol import expand, read

PROTOCOLS = Path(__file__).parents[3] / "protocols"
FULL = PROTOCOLS / "nayebi2020_full.yaml"
DESK = PROTOCOLS / "nayebi2020.yaml"
FEW = "train_images=60", "validation_images=25", "probe_images=25"


def overrides(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Write small files, and return the settings that name them."""
    for name, write in (
        ("cifar10", write_cifar10),
        ("imagenet", write_imagenet),
        ("words", write_wav_folder),
    ):
        (folder / name).mkdir()
        found = write(folder / name)
        verify_small_files(monkeypatch, name, found)
    places = ("tasks[0]", "cifar10"), ("tasks[1]", "imagenet"), ("tasks[2].of", "imagenet")
    return (
        *(f"subjects.{key}.path={folder / name}" for key, name in (*places, ("tasks[3]", "words"))),
        *(f"subjects.tasks[{task}].{each}" for task in range(4) for each in FEW),
        "subjects.batch_size=[15, 30, 60]",
    )


@pytest.mark.parametrize("path", [FULL, DESK], ids=lambda path: path.stem)
def test_each_of_22_kinds_has_12_subjects_of_each_of_4_rules(path: Path) -> None:
    protocol = read(path)
    assert protocol.subjects.count == 1056
    kinds = [
        (architecture.plugin.name, str(point.settings), task.plugin.name)
        for architecture, task in protocol.subjects.networks
        for point in architecture.points()
    ]
    assert len(set(kinds)) == len(kinds) == 22
    assert [each.label for each in protocol.subjects.rules] == [
        "sgdm",
        "adam",
        "feedback",
        "information",
    ]
    assert protocol.subjects.seeds is not None
    assert protocol.subjects.seeds.count * len(list(protocol.subjects.shared.points())) == 12
    assert [each.plugin.name for each in protocol.subjects.schedule] == ["steps"]


def test_the_schedule_can_be_left_out() -> None:
    protocol = read(DESK, ("name=nayebi2020_constant", "subjects.schedule=constant"))
    assert protocol.subjects.count == 1056
    assert {each.schedule.name for each in expand(protocol)} == {"constant"}


@pytest.mark.slow
def test_the_published_size_can_be_planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = make_plan(read(FULL, overrides(tmp_path, monkeypatch)))
    rules = Counter(subject.label for subject in plan.subjects)
    assert rules == dict.fromkeys(("sgdm", "adam", "feedback", "information"), 264)
    assert {subject.precision for subject in plan.subjects} == {"mixed"}
    sides = {subject.task.stimuli().stimuli.shape[-1] for subject in plan.subjects}
    assert sides == {32, 224}


def test_missing_data_sets_are_named_with_their_keys() -> None:
    with pytest.raises(ProtocolError) as caught:
        make_plan(read(FULL))
    assert {fault.path.split(".")[1] for fault in caught.value.faults} == {
        f"tasks[{number}]" for number in range(4)
    }
