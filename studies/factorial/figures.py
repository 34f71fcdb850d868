"""Figures of the study: accuracies of predictions, and the files of all figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from studies.factorial.accuracies import (
    Accuracy,
    held_out_accuracy,
    strict_accuracy,
)
from studies.factorial.carry_over import curves
from studies.factorial.claims import Evidence
from studies.factorial.figures_curves import numbers_figure, units_figure, visits_figure
from studies.factorial.figures_statistics import WIDTH, importance_figure, trajectories_figure
from studies.factorial.layers import BY_SUBJECT, importance_map
from studies.factorial.predictions import (
    CLASSIFIER,
    NETWORK,
    OTHERS,
    Task,
    read_draws,
    read_predictions,
)
from studies.factorial.subjects import OBSERVABLES, SPLITS, Recorded
from virtuallab.decoder.schemes.cross_validation import confusion_of
from virtuallab.decoder.uncertainty.intervals import balanced_accuracy
from virtuallab.reporting.figures import accuracy
from virtuallab.reporting.figures.common.axes import (
    accuracy_rows,
    legend_entries,
    points,
    set_title,
)
from virtuallab.reporting.figures.confusion import draw_matrix
from virtuallab.reporting.render import png
from virtuallab.reporting.style import INK, observable_look, pretty, theme
from virtuallab.vocabulary import ACTIVITY, OBSERVABLE, PROBE, WEIGHTS

OF_KINDS_SHOWN: Final = ("activity", "all")
_ROW: Final = 0.19  # inches of a group
_BOUNDS: Final = ("low", "high")
_KNOWN: Final = "new subjects of known kinds (strict scheme)"
_OF_SEED: Final = "subjects of one model seed"


def draw_figures(evidence: Evidence, images: Path) -> None:
    """Write the figures of the study as PNG images, ``factorial_*.png``.

    Parameters
    ----------
    evidence : Evidence
    images : Path
        Folder.
    """
    recorded, predictions = evidence.sampled, evidence.sampled_folder
    chance = 1 / len(recorded.classes)
    points = curves(recorded, predictions, evidence.workers)
    drawn = {
        "trajectories": trajectories_figure(recorded),
        "strict": strict_figure(recorded, predictions),
        "confusion": confusion_figure(recorded, predictions),
        "held_out": held_out_figure(recorded, predictions),
        "kinds": kinds_figure(recorded, predictions),
        "numbers": numbers_figure(points, chance=chance),
        "importance": importance_figure(_importance(evidence)),
    }
    if evidence.designs is not None:
        drawn["visits"] = visits_figure(evidence.designs)
        drawn["units"] = units_figure(evidence.designs)
    images.mkdir(parents=True, exist_ok=True)
    for name, figure in drawn.items():
        (images / f"factorial_{name}.png").write_bytes(png(figure))


def _importance(evidence: Evidence) -> dict[str, xr.DataArray]:
    """Impurity importance in forests that identify layers, mean over folds."""
    return {
        observable: importance_map(
            evidence.complete, observable, evidence.layers[observable, BY_SUBJECT]
        ).mean("fold")
        for observable in (ACTIVITY, WEIGHTS)
    }


def strict_figure(recorded: Recorded, predictions: Path) -> Figure:
    """Accuracy on new subjects of known kinds, by observable and classifier."""
    found = {
        classifier: [
            strict_accuracy(recorded, read_draws(observable, classifier, predictions))
            for observable in OBSERVABLES
        ]
        for classifier in (CLASSIFIER, *OTHERS, NETWORK)
    }
    along = {PROBE: list(map(pretty, found)), OBSERVABLE: list(OBSERVABLES)}
    values = [[each.value for each in row] for row in found.values()]
    bounds = [[(each.low, each.high) for each in row] for row in found.values()]
    return accuracy.draw(
        xr.DataArray(values, along, list(along)),
        xr.DataArray(bounds, {**along, "bound": list(_BOUNDS)}, (*along, "bound")),
        chance=1 / len(recorded.classes),
        width=WIDTH,
    )


def confusion_figure(recorded: Recorded, predictions: Path) -> Figure:
    """Share of the subjects of each rule identified as each rule, with a panel an observable."""
    classes = recorded.classes
    along = {"true_rule": classes, "predicted_rule": classes}
    rows = -(-len(OBSERVABLES) // 2)
    with theme():
        figure = Figure(figsize=(WIDTH, 0.2 + 2.6 * rows), layout="constrained")
        every = figure.subplots(rows, 2, squeeze=False)
        for axes, observable in zip(every.flat, OBSERVABLES, strict=False):
            draws = read_draws(observable, CLASSIFIER, predictions)
            counts = np.sum([confusion_of(recorded.labels, d, classes) for d in draws], axis=0)
            found = xr.DataArray(counts, along, list(along))
            draw_matrix(axes, found, title=pretty(observable))
        for axes in every.flat[len(OBSERVABLES) :]:
            axes.remove()
        for axes in every[:-1].flat:
            axes.set(xlabel="", xticklabels=[])
        for axes in every[:, 1]:
            axes.set(ylabel="", yticklabels=[])
    return figure


def held_out_figure(recorded: Recorded, predictions: Path) -> Figure:
    """Accuracy on groups that are held out in turn, by split, with a panel an observable."""

    def draw(axes: Axes, observable: str) -> None:
        found = []
        for split in SPLITS:
            task = Task(observable, CLASSIFIER, split)
            predicted = read_predictions(task, predictions)
            found.append(held_out_accuracy(recorded, split, predicted))
        _accuracies(axes, observable, found)

    return _rows_figure(recorded, predictions, OBSERVABLES, list(map(pretty, SPLITS)), draw)


def kinds_figure(recorded: Recorded, predictions: Path) -> Figure:
    """Accuracy on each kind if no decoder was trained on it, with a panel an observable.

    Small points are the accuracies on the subjects of each model seed: two or so do not give an
    interval.
    """
    names = np.unique(recorded.kinds)
    pairs = recorded.pairs

    def draw(axes: Axes, observable: str) -> None:
        task = Task(observable, CLASSIFIER, "kind")
        predicted = read_predictions(task, predictions)
        whole, of_seeds, places = [], [], []
        for place, kind in enumerate(names):
            mine = recorded.kinds == kind
            whole.append(_balanced(recorded, predicted, mine))
            for pair in np.unique(pairs[mine]):
                of_seeds.append(_balanced(recorded, predicted, pairs == pair))
                places.append(place)
        axes.plot(
            of_seeds,
            places,
            "o",
            markersize=2.8,
            color=observable_look(observable).colour,
            alpha=0.55,
            zorder=1,
            label=_OF_SEED,
        )
        _accuracies(axes, observable, [Accuracy(value, np.nan, np.nan) for value in whole])

    return _rows_figure(recorded, predictions, OF_KINDS_SHOWN, names.tolist(), draw)


def _balanced(recorded: Recorded, predicted: np.ndarray, rows: np.ndarray) -> float:
    confusion = confusion_of(recorded.labels[rows], predicted[rows], recorded.classes)
    return balanced_accuracy(confusion)


def _rows_figure(
    recorded: Recorded,
    predictions: Path,
    observables: Sequence[str],
    names: Sequence[str],
    draw: Callable[[Axes, str], None],
) -> Figure:
    """Rows of accuracies, with the strict accuracy of each observable for comparison."""
    with theme():
        figure = Figure(figsize=(WIDTH, 1.1 + _ROW * len(names)), layout="constrained")
        every = figure.subplots(1, len(observables), sharey=True, squeeze=False)[0]
        for axes, observable in zip(every, observables, strict=True):
            known = strict_accuracy(recorded, read_draws(observable, CLASSIFIER, predictions))
            axes.axvspan(known.low, known.high, color=INK, alpha=0.1, linewidth=0, zorder=0)
            axes.axvline(known.value, color=INK, linewidth=1.2, zorder=0, label=_KNOWN)
            draw(axes, observable)
            accuracy_rows(axes, names, 1 / len(recorded.classes))
            axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
            set_title(axes, pretty(observable))
        entries = legend_entries(every)
        shown = [label for label in (_KNOWN, _OF_SEED) if label in entries]
        handles = [entries[label] for label in shown]
        figure.legend(handles, shown, loc="outside lower center", ncols=len(shown))
    return figure


def _accuracies(axes: Axes, observable: str, found: Sequence[Accuracy]) -> None:
    look = observable_look(observable)
    bounds = [(each.low, each.high) for each in found]
    points(
        axes,
        xr.DataArray([each.value for each in found], dims="row"),
        xr.DataArray(bounds, {"bound": list(_BOUNDS)}, ("row", "bound")),
        np.arange(len(found)),
        colour=look.colour,
        marker=look.marker,
        label=pretty(observable),
    )
