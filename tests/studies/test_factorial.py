"""The study of the factorial, on planted features."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from studies.factorial import carry_over, confirmation, controls, layers, pages, predictions
from studies.factorial.accuracies import (
    Accuracy,
    difference,
    group_accuracies,
    held_out_accuracy,
    strict_accuracy,
)
from studies.factorial.claims import Evidence
from studies.factorial.predictions import STRICT, Task, predict, predict_all, stored
from studies.factorial.subjects import SPLITS, Recorded
from virtuallab.protocol import expand, read
from virtuallab.reporting.style import pretty
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
    performance = xr.DataArray(
        np.random.default_rng(0).random((len(number), 4)),
        {SUBJECT: features[SUBJECT].values, "visit": np.arange(4)},
        (SUBJECT, "visit"),
    )
    backward = np.where(features["rule"] == "feedback", 80.0, np.nan)
    angles = xr.Dataset(
        {"weight_angle": (SUBJECT, backward), "total_gradient_angle": (SUBJECT, backward / 2)}
    ).isel({SUBJECT: status == DONE})
    done = features.isel({SUBJECT: status == DONE})
    return Recorded(done, table, settings, performance, angles)


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


def test_decoders_are_compared_in_the_same_subjects(apart: Recorded) -> None:
    right, wrong = apart.labels, np.roll(apart.labels, len(apart.labels) // 2)
    assert difference(apart, [right], [right]).value == 0
    by_pairs = difference(apart, [right], [wrong])
    assert by_pairs.value == 1
    assert by_pairs.low > 0
    by_kinds = difference(apart, [wrong], [right], apart.kinds)  # fewer of them
    assert by_kinds.value == -1
    assert by_kinds.high - by_kinds.low > by_pairs.high - by_pairs.low


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
    found = carry_over.referenced(
        apart.samples("activity"), apart.kinds, apart.groups("kind"), apart.classes
    )
    assert {group for _, group in found} == set(apart.kinds.tolist())
    points = carry_over.curve(apart.samples("activity"), apart.kinds, equal=True)
    assert {point.kinds for point in points} == {
        2
    }  # of the numbers, those that leave kinds to test
    assert all(point.subjects <= 96 for point in points)
    assert np.mean([point.plain for point in points]) > 0.6


def test_pages_have_every_group_and_count_subjects_that_diverged(
    apart: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = ("kind", "architecture", "family", "task")
    smaller = {"OBSERVABLES": ("activity",), "CONTROLLED": ("activity",), "OTHERS": ()}
    smaller |= {
        "SPLITS": few,
        "CLAIMED_SPLITS": few,
        "CURVES": ("activity",),
        "ERRORS_OF": "activity",
    }
    for module in (predictions, pages, carry_over, controls, layers):
        for name, value in {**smaller, "REPEATS": 1, "DRAWS": 2}.items():
            if hasattr(module, name):
                monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(pages, "claims_rows", lambda evidence: [["Q1", "a claim", "0.9", "holds"]])
    for name in ("treatments_table", "gains_table"):  # tested on their own
        monkeypatch.setattr(pages, name, lambda *given: (["treatment"], [["none"]]))
    folder = tmp_path / "predictions"
    predict_all(apart, folder, 1, predictions.tasks())
    predict_all(apart, folder / "complete", 1, predictions.complete_tasks())
    evidence = Evidence(
        complete=apart,
        sampled=apart,
        complete_folder=folder / "complete",
        sampled_folder=folder,
        layers=layers.evaluate_layers(apart, folder / "complete", 1),
        designs=None,
        workers=1,
    )
    pages.write_pages(evidence, tmp_path / "results")
    written = {path.name: path.read_text("utf-8") for path in (tmp_path / "results").iterdir()}
    first = (
        "angles claims complete confusion controls gains groups held_out layers left_out numbers"
    )
    names = [*first.split(), "recall", "references", "strict", "subjects", "treatments"]
    assert sorted(written) == [f"factorial_{name}.md" for name in names]
    assert (
        "| feedback | knet4 | 80° (80° to 80°) | 40° (40° to 40°) |"
        in written["factorial_angles.md"]
    )
    assert "adam" not in written["factorial_angles.md"].lower()
    assert "| all | 1 of 24 | 1 of 24 | 1 of 24 |" in written["factorial_subjects.md"]
    for network, _ in NETWORKS:
        assert f"| architecture | {network} |" in written["factorial_groups.md"]
    for choice in ("none", "all rules", "its own rule"):
        assert f"| activity | {choice} |" in written["factorial_references.md"]
    for name in controls.NAMES:
        assert f"| activity | {pretty(name)} |" in written["factorial_controls.md"]
    for group in (*apart.kinds.tolist(), "1: lowest third of its kind", "high"):
        assert f"| {group} |" in written["factorial_recall.md"]
    assert "nan" not in "".join(written.values())


def test_a_store_of_other_subjects_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = xr.Dataset({"key": ("subject", ["a", "b"])}, coords={"subject": ["sub-1", "sub-2"]})
    monkeypatch.setattr("virtuallab.open", lambda store: xr.DataTree.from_dict({"subjects": table}))
    with pytest.raises(SystemExit, match=r"x\.zarr has other subjects than .*nayebi2020\.yaml"):
        Recorded.of(tmp_path / "x.zarr", PROTOCOL)


def test_subjects_that_were_set_aside_are_identified_by_the_others(
    apart: Recorded, equal: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confirmation, "OBSERVABLES", ("activity",))
    expected = {("activity", "none"): Accuracy(0.75, 0.7, 0.8)}
    rows = list(
        confirmation.confirmation_rows(apart, recorded(8.0), "new", expected, new_kinds=True)
    )
    found = {(row[1], row[2]): row[3] for row in rows}
    kinds = {"all", "all, expected", *apart.kinds.tolist()}
    assert set(found) == {(choice, kind) for choice in ("none", "all rules") for kind in kinds}
    assert float(found["none", "all"].split()[0]) > 0.8
    assert float(found["all rules", "all"].split()[0]) > 0.8
    assert found["none", "all, expected"] == "0.75 (0.70 to 0.80)"
    assert found["all rules", "all, expected"] == "-"
    first = equal.groups("model_seed") == "0"
    one_pair = replace(equal, features=equal.features.isel(subject=first))
    chance, _ = confirmation.confirmation_rows(apart, one_pair, "new", {}, new_kinds=False)
    assert chance[:3] == ["new", "none", "all"]
    assert float(chance[3].split()[0]) < 0.6


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the confirmation runs, and the result that it would write."""
    monkeypatch.setattr(confirmation, "ROOT", tmp_path)
    monkeypatch.setattr(confirmation, "RESULT", tmp_path / "factorial_confirmation.md")
    monkeypatch.setattr("sys.argv", ["confirmation"])
    monkeypatch.chdir(tmp_path)
    return tmp_path / "factorial_confirmation.md"


def test_the_confirmation_is_computed_once(alone: Path) -> None:
    alone.write_text("0.9\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="is computed once"):
        confirmation.main()
    assert alone.read_text("utf-8") == "0.9\n"


def test_a_confirmation_before_the_study_is_refused_before_it_trains(
    alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("virtuallab.run", lambda *_, **__: pytest.fail("trained"))
    with pytest.raises(SystemExit, match="make study"):
        confirmation.main()
    assert not alone.exists()


def test_the_confirmation_trains_both_sets_of_subjects_and_states_what_was_expected(
    alone: Path, apart: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (confirmation, carry_over):
        monkeypatch.setattr(module, "OBSERVABLES", ("activity",))
    monkeypatch.setattr(carry_over, "REFERENCED_SPLITS", ("kind",))
    folder = alone.parent / "runs" / "nayebi2020.predictions"
    strict = [Task("activity", "kernel_svm", STRICT, draw) for draw in range(predictions.REPEATS)]
    predict_all(apart, folder, 1, [Task("activity", "kernel_svm", "kind"), *strict])
    trained = []
    monkeypatch.setattr("virtuallab.run", lambda protocol, *_, **__: trained.append(protocol.name))
    monkeypatch.setattr(Recorded, "of", lambda *_: apart)
    confirmation.main()
    assert trained == ["nayebi2020_confirmation.yaml", "nayebi2020.yaml"]
    lines = [line.strip("| ").split(" | ") for line in alone.read_text("utf-8").splitlines()]
    whole = {(line[0], line[1]): line[3] for line in lines if line[2] == "all, expected"}
    asked = [("new kinds", "none"), ("new kinds", "all rules"), ("new seeds", "none")]
    assert list(whole) == asked
    assert min(float(expected.split()[0]) for expected in whole.values()) > 0.8
