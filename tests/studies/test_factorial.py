"""The study of the factorial, on planted features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from studies.factorial import carry_over, pages, predictions
from studies.factorial.accuracies import group_accuracies, held_out_accuracy, strict_accuracy
from studies.factorial.predictions import STRICT, Task, predict, predict_all, stored
from studies.factorial.subjects import SPLITS, Recorded
from virtuallab.protocol import expand, read
from virtuallab.testing.planted import planted_features
from virtuallab.vocabulary import DIVERGED, DONE, SUBJECT

PROTOCOL = Path(__file__).parents[2] / "protocols" / "nayebi2020.yaml"
NETWORKS = (("knet4", "digits"), ("resnet18", "patches"), ("alexnet", "words"), ("mlp", "digits"))
EACH = 24  # subjects of a rule; the first of each rule diverged


def recorded(apart: float) -> Recorded:
    """Subjects of three rules, four kinds and two model seeds of each."""
    features = planted_features(each=EACH, apart=apart, seed=4)
    number = np.arange(features.sizes[SUBJECT])
    place = number % EACH
    kind, seed = place % len(NETWORKS), place // len(NETWORKS) % 2
    architecture, task = zip(*(NETWORKS[each] for each in kind), strict=True)
    columns = {
        "architecture": list(architecture),
        "family": list(architecture),
        "task": list(task),
        "batch_size": np.where(place % 3, 16, 32),
        "model_seed": seed,
        "data_seed": place // 8 % 2,
        "learning_rate": np.geomspace(0.01, 0.1, len(number)),
        "pair": kind * 2 + seed,
    }
    features = features.assign_coords({name: (SUBJECT, c) for name, c in columns.items()})
    status = np.where(place == 0, DIVERGED, DONE)
    table = features.coords.to_dataset().assign(status=(SUBJECT, status))
    settings = dict(
        zip(features[SUBJECT].values.tolist(), expand(read(PROTOCOL))[::14], strict=False)
    )
    return Recorded(features.isel({SUBJECT: status == DONE}), table, settings)


@pytest.fixture(scope="module")
def apart() -> Recorded:
    return recorded(8.0)


@pytest.fixture(scope="module")
def equal() -> Recorded:
    return recorded(0.0)


def test_rules_that_are_apart_are_identified_and_equal_ones_are_not(
    apart: Recorded, equal: Recorded
) -> None:
    task = Task("activity", "kernel_svm", STRICT)
    found = strict_accuracy(apart, [predict(apart.samples("activity"), None, task)])
    assert found.value > 0.9
    assert found.low < found.value  # eight pairs do not show more
    chance = strict_accuracy(equal, [predict(equal.samples("activity"), None, task)])
    assert chance.low < 1 / 3 < chance.high


@pytest.mark.parametrize("split", [each for each in SPLITS if each not in ("version", "senses")])
def test_every_group_is_tested(apart: Recorded, split: str) -> None:
    groups = apart.groups(split)
    task = Task("activity", "kernel_svm", split)
    predicted = predict(apart.samples("activity"), groups, task)
    assert held_out_accuracy(apart, split, predicted).value > 0.6
    assert set(group_accuracies(apart, split, predicted)) == set(groups.tolist())


def test_what_is_stored_is_not_computed_again(apart: Recorded, tmp_path: Path) -> None:
    task = Task("activity", "kernel_svm", STRICT)
    (tmp_path / task.file_name).write_text('["adam"]', encoding="utf-8")
    predict_all(apart, tmp_path, 1, [task])
    assert predictions.read_predictions(task, tmp_path).tolist() == ["adam"]

    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stored(tmp_path / "new.json", interrupted)
    assert not (tmp_path / "new.json").exists()
    assert stored(tmp_path / "new.json", lambda: [1]) == [1]
    assert stored(tmp_path / "new.json", interrupted) == [1]


def test_references_and_more_kinds_are_evaluated(apart: Recorded) -> None:
    found = carry_over.referenced(apart, "activity", "kernel_svm", "kind")
    assert {group for _, group in found} == set(apart.kinds.tolist())
    points = carry_over.curve(apart, "activity", "kernel_svm", equal=True)
    assert {point.kinds for point in points} == {
        2
    }  # of the numbers, those that leave kinds to test
    assert all(point.subjects <= 96 for point in points)
    assert np.mean([point.plain for point in points]) > 0.6


def test_pages_have_every_group_and_count_subjects_that_diverged(
    apart: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (predictions, pages, carry_over):
        for name, value in {"OBSERVABLES": ("activity",), "OTHERS": (), "REPEATS": 1}.items():
            monkeypatch.setattr(module, name, value, raising=False)
    few = ("kind", "architecture", "family", "task")
    for module in (predictions, pages):
        monkeypatch.setattr(module, "SPLITS", few)
    monkeypatch.setattr(carry_over, "CURVES", ("activity",))
    monkeypatch.setattr(carry_over, "DRAWS", 2)
    predict_all(apart, tmp_path / "predictions", 1, predictions.tasks())
    pages.write_pages(apart, tmp_path / "predictions", tmp_path / "results", 1)
    written = {path.name: path.read_text("utf-8") for path in (tmp_path / "results").iterdir()}
    assert sorted(written) == [
        f"factorial_{name}.md"
        for name in (
            "confusion",
            "groups",
            "held_out",
            "numbers",
            "references",
            "strict",
            "subjects",
        )
    ]
    assert "| all | 1 of 24 | 1 of 24 | 1 of 24 |" in written["factorial_subjects.md"]
    for network, _ in NETWORKS:
        assert f"| architecture | {network} |" in written["factorial_groups.md"]
    assert "nan" not in "".join(written.values())


def test_a_store_of_other_subjects_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = xr.Dataset({"key": ("subject", ["a", "b"])}, coords={"subject": ["sub-1", "sub-2"]})
    monkeypatch.setattr("virtuallab.open", lambda store: xr.DataTree.from_dict({"subjects": table}))
    with pytest.raises(SystemExit, match=r"x\.zarr has other subjects than .*nayebi2020\.yaml"):
        Recorded.of(tmp_path / "x.zarr", PROTOCOL)
