"""The figures of the factorial, on planted features and predictions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from studies.factorial import figures
from studies.factorial.accuracies import held_out_accuracy, strict_accuracy
from studies.factorial.carry_over import Point
from studies.factorial.claims import Evidence
from studies.factorial.figures import (
    confusion_figure,
    draw_figures,
    held_out_figure,
    kinds_figure,
    strict_figure,
)
from studies.factorial.figures_curves import numbers_figure, units_figure, visits_figure
from studies.factorial.figures_statistics import (
    CHANGES,
    KINDS,
    importance_figure,
    trajectories_figure,
)
from studies.factorial.predictions import (
    CLASSIFIER,
    NETWORK,
    OTHERS,
    STRICT,
    Task,
    read_draws,
    tasks,
)
from studies.factorial.subjects import OBSERVABLES, SPLITS, Recorded
from tests.protocol.texts import SMALL
from tests.studies.test_factorial import recorded
from virtuallab.decoder.controls import OF_DESIGNS
from virtuallab.lab.designs.comparison_table import comparison_table, named_designs, observables_of
from virtuallab.lab.designs.decode_designs import DecodedDesign
from virtuallab.protocol import read_text
from virtuallab.reporting.style import looks, observable_look, pretty
from virtuallab.vocabulary import SUBJECT

CHANCE = 1 / 3
SHARES = {"activity": 0.9, "weights": 0.7, "activity_change": 0.5, "all": 1.0}
WINDOWS = """\
compare:
  observables: [activity, weights]
  designs:
    early: {visits: {grid: [{count: 3}, {count: 5}]}}
    middle: {visits: {grid: [{count: 3, first: 9}, {count: 5, first: 8}]}}
    late: {visits: {grid: [{count: 3, first: -3}, {count: 5, first: -5}]}}
    sparse: {visits: {grid: [3, 5]}}
"""
UNITS = """\
compare:
  designs:
    activity: {observables: [activity], units: [5, 50]}
    weights: {observables: [weights], synapses: [10, 100]}
    activity_noisy: {observables: [activity], units: [5, 50], noise: {snr: [0.5, 2.0]}}
    weights_noisy: {observables: [weights], synapses: [10, 100], noise: {snr: [0.5, 8.0]}}
"""


@pytest.fixture(scope="module")
def subjects() -> Recorded:
    """Planted subjects with the kinds and the changes that are drawn."""
    found = recorded(2.0)
    names = {"knet4": "knet4-1", "alexnet": "alexnet-1", "words": "patches"}
    columns = {
        name: (SUBJECT, [names.get(each, each) for each in found.features[name].values.tolist()])
        for name in ("architecture", "task")
    }
    features = found.features.assign_coords(columns).isel(change_name=[0, 1, 2, 0, 1])
    return replace(found, features=features.assign_coords(change_name=list(CHANGES)))


@pytest.fixture(scope="module")
def folder(subjects: Recorded, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Predictions that identify a known share of the subjects of each rule."""
    folder = tmp_path_factory.mktemp("predictions")
    for task in tasks():
        lower = 0.0 if task.split == STRICT else 0.01 * SPLITS.index(task.split)
        predicted = partly(subjects.labels, SHARES[task.observable] - lower - 0.02 * task.draw)
        (folder / task.file_name).write_text(json.dumps(predicted.tolist()), encoding="utf-8")
    for observable in ("activity", "all"):
        for which in ("equal", "all"):
            points = [asdict(Point(2, 96, draw, 0.5, 0.6)) for draw in range(2)]
            text = json.dumps(points)
            (folder / f"numbers.{observable}.{which}.json").write_text(text, encoding="utf-8")
    return folder


def partly(labels: np.ndarray, share: float) -> np.ndarray:
    """Labels, of which the last of each rule are replaced by the next rule."""
    found, classes = labels.copy(), sorted(set(labels.tolist()))
    for place, rule in enumerate(classes):
        mine = np.flatnonzero(labels == rule)
        found[mine[round(share * len(mine)) :]] = classes[(place + 1) % len(classes)]
    return found


def rows(axes: Axes) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


def named_lines(axes: Axes) -> dict[str, Line2D]:
    return {str(line.get_label()): line for line in axes.lines}


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def upright(axes: Axes) -> list[float]:
    """Places of vertical lines across axes."""
    xs = [np.asarray(line.get_xdata(), dtype=float) for line in axes.lines]
    return [float(x[0]) for x in xs if len(x) == 2 and x[0] == x[1]]


def segments(axes: Axes) -> np.ndarray:
    """Low and high ends of intervals, (row, bound)."""
    [found] = [c for c in axes.collections if type(c).__name__ == "LineCollection"]
    return np.array([segment[:, 0] for segment in found.get_segments()])  # type: ignore[attr-defined]


def compared(designs: str, accuracy: Mapping[str, float]) -> xr.Dataset:
    """Comparison with a balanced accuracy for each label, or name, of its designs."""
    how = read_text(SMALL + designs).compare
    labels = np.repeat(["a", "b", "c", "d"], 50)
    place = np.tile(np.arange(50), 4)
    table = xr.Dataset(coords={"subject": np.arange(200), "rule": ("subject", labels)})
    found, came = named_designs(how), []
    for each in found:
        right = place < 50 * accuracy.get(each.label, accuracy.get(each.name, 0.5))
        keys = [(o, c) for o in observables_of(how, each.point, 21) for c in how.classifiers]
        controls = {(name, *key): right for key in keys for name in OF_DESIGNS}
        came += [DecodedDesign(dict.fromkeys(keys, right), controls)] * how.seeds
    sizes = (({"a": 400, "b": 300}, {"a": 400, "b": 300}, 21, 10),)
    return comparison_table(how, found, came, table, sizes)


def test_trajectories_are_medians_over_subjects_of_means_over_layers(subjects: Recorded) -> None:
    figure = trajectories_figure(subjects)
    grid = np.array(figure.axes).reshape(len(CHANGES), len(KINDS))
    assert [axes.get_title() for axes in grid[0]] == list(KINDS)
    assert [axes.get_ylabel() for axes in grid[:, 0]] == list(CHANGES.values())
    place = KINDS.index("alexnet-1 on patches")
    mine = (subjects.kinds == KINDS[place]) & (subjects.labels == "adam")
    values = subjects.features["change"].isel(subject=mine, change_name=1).mean("layer")
    drawn = named_lines(grid[1, place])["Adam"]
    np.testing.assert_allclose(drawn.get_ydata(), values.median("subject").values)
    [band, *_] = grid[1, place].collections
    edges = band.get_paths()[0].vertices[:, 1]
    low, high = values.quantile([0.25, 0.75], "subject").isel(visit=-1).values
    assert np.isclose(edges, low).any()
    assert np.isclose(edges, high).any()
    assert legend(figure) == ["Adam", "backprop", "feedback"]
    known = looks(["adam", "backprop", "feedback_alignment"])
    assert named_lines(grid[1, place])["feedback"].get_color() == known["feedback_alignment"].colour


def test_every_classifier_and_observable_has_its_accuracy(subjects: Recorded, folder: Path) -> None:
    figure = strict_figure(subjects, folder)
    axes = figure.axes[0]
    assert rows(axes) == [pretty(name) for name in (CLASSIFIER, *OTHERS, NETWORK)]
    assert legend(figure) == ["activity", "weights", "activity change", "all observables"]
    drawn = named_lines(axes)["weights"].get_xdata()
    expected = [
        strict_accuracy(subjects, read_draws("weights", classifier, folder)).value
        for classifier in (CLASSIFIER, *OTHERS, NETWORK)
    ]
    np.testing.assert_allclose(np.asarray(drawn), expected)
    assert expected[0] == pytest.approx(0.66, abs=0.03)  # mean of the draws: 0.70, 0.68, ... 0.62
    assert expected[1] == pytest.approx(0.70, abs=0.03)
    assert CHANCE in upright(axes)


def test_cells_are_shares_of_the_subjects_of_a_rule(subjects: Recorded, folder: Path) -> None:
    figure = confusion_figure(subjects, folder)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "activity",
        "weights",
        "activity change",
        "all observables",
    ]
    texts = [text.get_text() for text in figure.axes[1].texts]
    draws = read_draws("weights", "kernel_svm", folder)
    adam = subjects.labels == "adam"
    shares = [np.mean([each[adam] == rule for each in draws]) for rule in subjects.classes]
    assert texts[:3] == [f"{shares[0]:.2f}", f"{shares[1]:.2f}", "·"]
    assert shares[0] > 0.6
    assert rows(figure.axes[2]) == ["Adam", "backprop", "feedback"]
    assert rows(figure.axes[3]) == [""] * 3  # those of the panel to the left


def test_every_split_has_its_accuracy_beside_the_strict_one(
    subjects: Recorded, folder: Path
) -> None:
    figure = held_out_figure(subjects, folder)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "activity",
        "weights",
        "activity change",
        "all observables",
    ]
    axes = figure.axes[OBSERVABLES.index("weights")]
    assert rows(figure.axes[0]) == [split.replace("_", " ") for split in SPLITS]
    predicted = partly(subjects.labels, 0.7 - 0.01 * SPLITS.index("family"))
    expected = held_out_accuracy(subjects, "family", predicted)
    row = SPLITS.index("family")
    assert np.asarray(named_lines(axes)["weights"].get_xdata())[row] == expected.value
    np.testing.assert_allclose(segments(axes)[row], [expected.low, expected.high])
    strict = strict_accuracy(subjects, read_draws("weights", "kernel_svm", folder))
    assert set(upright(axes)) == {CHANCE, strict.value}
    assert named_lines(axes)["weights"].get_color() == observable_look("weights").colour


def test_a_kind_that_is_not_identified_is_at_zero(
    subjects: Recorded, folder: Path, tmp_path: Path
) -> None:
    pairs = subjects.features["pair"].values
    wrong, half = "alexnet-1 on patches", "mlp on digits"
    labels, classes = subjects.labels, subjects.classes
    other = np.array([classes[(classes.index(rule) + 1) % 3] for rule in labels])
    first = pairs[subjects.kinds == half].min()
    missed = (subjects.kinds == wrong) | (pairs == first)
    predicted = np.where(missed, other, labels)
    for file in folder.glob("*.strict.*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    for observable in ("activity", "all"):
        task = Task(observable, "kernel_svm", "kind")
        (tmp_path / task.file_name).write_text(json.dumps(predicted.tolist()), encoding="utf-8")
    figure = kinds_figure(subjects, tmp_path)
    names = rows(figure.axes[0])
    assert names == sorted(set(subjects.kinds.tolist()))
    for axes, label in zip(figure.axes, ("activity", "all observables"), strict=True):
        drawn = dict(zip(names, np.asarray(named_lines(axes)[label].get_xdata()), strict=True))
        assert drawn[wrong] == 0
        assert 0 < drawn[half] < 1
        assert drawn["knet4-1 on digits"] == 1
        seeds = named_lines(axes)["subjects of one model seed"]
        of_half = np.asarray(seeds.get_ydata()) == names.index(half)
        assert np.asarray(seeds.get_xdata())[of_half].tolist() == [0, 1]
    assert len(legend(figure)) == 2


def test_importance_is_relative_to_the_mean_of_its_observable() -> None:
    values = np.full((2, 6), 0.05)
    values[1, 4] += 1 - values.sum()
    visits = {"visit": np.arange(6)}
    act = xr.DataArray(
        values, {"statistic": ["actraw_norm", "actsq_mean"], **visits}, ("statistic", "visit")
    )
    weight = xr.DataArray(
        np.full((1, 6), 1 / 6),
        {"statistic": ["weightabs_thirdquartile"], **visits},
        ("statistic", "visit"),
    )
    figure = importance_figure({"activity": act, "weights": weight})
    above, below = figure.axes[:2]
    drawn = above.collections[0].get_array()
    assert drawn is not None
    np.testing.assert_allclose(np.reshape(drawn, (2, 6)), values * 12)
    assert np.unique(below.collections[0].get_array()) == pytest.approx(1)
    for axes in (above, below):  # one scale for both
        assert axes.collections[0].get_clim() == (0, pytest.approx(12 * values.max()))
    assert rows(above) == ["norm", "mean, squared"]
    assert rows(below) == ["third quartile, absolute"]
    assert [label.get_text() for label in below.get_xticklabels()] == ["0", "5"]


def test_windows_are_drawn_over_the_number_of_visits() -> None:
    accuracy = {"early": 0.4, "middle": 0.5, "late": 0.3, "sparse": 0.9, "sparse: visits 5": 0.94}
    figure = visits_figure(compared(WINDOWS, accuracy))
    assert legend(figure) == ["early window", "middle window", "late window", "spread over all"]
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["activity", "weights"]
    for axes in figure.axes:
        assert axes.get_xlabel() == "visits"
        late = named_lines(axes)["late window"]
        assert np.asarray(late.get_xdata()).tolist() == [3, 5]
        assert np.asarray(late.get_ydata()) == pytest.approx(0.3)
        assert "chance 0.25" in [text.get_text() for text in axes.texts]
    spread = named_lines(figure.axes[1])["spread over all"]
    assert np.asarray(spread.get_ydata()) == pytest.approx([0.9, 0.94])


def test_every_noise_level_has_a_line_over_the_number_of_units() -> None:
    accuracy = {
        "activity": 0.9,
        "weights": 0.8,
        "activity_noisy: units 5, noise.snr 0.5": 0.3,
        "activity_noisy: units 50, noise.snr 0.5": 0.4,
        "activity_noisy": 0.7,
        "weights_noisy": 0.6,
    }
    figure = units_figure(compared(UNITS, accuracy))
    activity, weights = figure.axes
    assert (activity.get_xlabel(), weights.get_xlabel()) == ("recorded units", "measured synapses")
    legend_title = figure.legends[0].get_title().get_text()
    assert (legend_title, legend(figure)[0]) == ("signal-to-noise ratio", "no noise")
    assert set(legend(figure)) == {"no noise", "0.5", "2", "8"}
    half = named_lines(activity)["0.5"]
    assert np.asarray(half.get_xdata()).tolist() == [5, 50]
    assert np.asarray(half.get_ydata()) == pytest.approx([0.3, 0.4])
    assert "8" not in named_lines(activity)
    assert "2" not in named_lines(weights)
    assert half.get_color() == named_lines(weights)["0.5"].get_color()
    assert np.asarray(named_lines(weights)["no noise"].get_ydata()) == pytest.approx(0.8)


def test_one_noise_level_of_all_designs_has_no_number() -> None:
    one = UNITS.replace("[0.5, 2.0]", "1.0").replace("[0.5, 8.0]", "1.0")
    accuracy = {"activity": 0.9, "weights": 0.8, "activity_noisy": 0.7, "weights_noisy": 0.6}
    figure = units_figure(compared(one, accuracy))
    assert legend(figure) == ["no noise", "with noise"]
    assert np.asarray(named_lines(figure.axes[1])["with noise"].get_ydata()) == pytest.approx(0.6)


def test_numbers_of_kinds_have_the_mean_and_spread_of_the_draws() -> None:
    points = [Point(2, 96, 0, 0.3, 0.5), Point(2, 96, 1, 0.5, 0.7), Point(4, 96, 0, 0.6, 0.8)]
    points.append(Point(4, 96, 1, 0.6, 0.8))
    found = {("activity", False): points, ("activity", True): points[::-1]}
    figure = numbers_figure(found, chance=0.25)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == [
        "activity, all subjects of each kind",
        "activity, the same number of subjects",
    ]
    for axes in figure.axes:
        lines = named_lines(axes)
        assert np.asarray(lines["features as they are"].get_xdata()).tolist() == [2, 4]
        assert np.asarray(lines["features as they are"].get_ydata()) == pytest.approx([0.4, 0.6])
        assert np.asarray(lines["relative to references"].get_ydata()) == pytest.approx([0.6, 0.8])
        edges = axes.collections[0].get_paths()[0].vertices[:, 1]
        assert edges.min() == pytest.approx(0.4 - np.std([0.3, 0.5], ddof=1))


def test_every_figure_of_the_study_is_written(
    subjects: Recorded, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    importance = xr.DataArray(
        [[0.5, 0.5]], {"statistic": ["actraw_norm"], "visit": [0, 1]}, ("statistic", "visit")
    )
    monkeypatch.setattr(figures, "_importance", lambda evidence: {"activity": importance})
    every = compared(WINDOWS + UNITS.removeprefix("compare:\n  designs:\n"), {})
    evidence = Evidence(subjects, subjects, folder, folder, {}, every, workers=1)
    draw_figures(evidence, tmp_path)
    names = "confusion held_out importance kinds numbers strict trajectories units visits"
    written = sorted(tmp_path.iterdir())
    assert [path.name for path in written] == [f"factorial_{name}.png" for name in names.split()]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written)
