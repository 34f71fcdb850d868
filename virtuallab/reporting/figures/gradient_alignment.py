"""Figures of how close each rule comes to backpropagation: angles, and sizes and signs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Final

import numpy as np
import xarray as xr

from virtuallab.labels import label_text
from virtuallab.reporting.figures.common import layer_grid
from virtuallab.reporting.figures.common.captioned import CaptionedFigure, Panel
from virtuallab.reporting.figures.common.layer_grid import (
    ANGLE,
    RATIO,
    SHARE,
    MeasureRow,
    MeasureScale,
)
from virtuallab.reporting.results.subjects import by_architecture_and_task, not_shown
from virtuallab.reporting.style import Look, pretty
from virtuallab.vocabulary import DONE, LAYER, RULE, SUBJECT

MOST_LAYERS: Final = 6  # columns; more would be too narrow to read
WHOLE: Final = "all layers"

# Measures in the order of their rows, with the labels of their axes.
_ANGLES: Final = {
    "gradient_angle": ("gradient (°)", ANGLE),
    "local_gradient_angle": ("local gradient (°)", ANGLE),
    "projection_angle": ("projection (°)", ANGLE),
    "weight_angle": ("weights (°)", ANGLE),
}
_SIZES: Final = {
    "gradient_norm_ratio": ("gradient norm", RATIO),
    "weight_norm_ratio": ("weight norm", RATIO),
    "sign_agreement": ("sign agreement", SHARE),
}
_OF_THE_WHOLE: Final = {"gradient_angle": "total_gradient_angle"}


def angles_figure(tree: xr.DataTree, rule_looks: Mapping[str, Look]) -> CaptionedFigure | None:
    """Angles to backpropagation by layer; None where nothing was measured."""
    return _figure(
        tree,
        rule_looks,
        _ANGLES,
        row_height=1.45,
        what="Angles to backpropagation",
        meaning=(
            "How far what a rule does points away from backpropagation: 0° is the same direction, "
            "90° (dashed) what chance gives, above 90° it works against it. Gradient: between what "
            "the forward weights follow and the true gradient of the loss, in each layer and over "
            "all parameters. Local gradient, projection and weights, for rules with backward "
            "weights: between the error that is sent down and the one the forward weights would "
            "have sent, between what the two weights make of the same input, and between the two "
            "weights themselves. Look for layers and times at which rules lie apart: there they "
            "change weights in different directions, which a recording of that layer could show. "
            "Rules that both lie near 0° teach alike, and a layer at 90° learns nothing that "
            "lowers the loss at once."
        ),
    )


def sizes_figure(tree: xr.DataTree, rule_looks: Mapping[str, Look]) -> CaptionedFigure | None:
    """Norm ratios and sign agreement by layer; None where nothing was measured."""
    return _figure(
        tree,
        rule_looks,
        _SIZES,
        row_height=1.15,
        what="Sizes and signs beside backpropagation's",
        meaning=(
            "How large what a rule does is beside backpropagation. Gradient norm: what the forward "
            "weights follow over the true gradient; weight norm: the backward weights over the "
            "forward ones (geometric means; dashed: equal). Sign agreement: the share of synapses "
            "whose two weights have the same sign (dashed: what chance gives). A rule that lies "
            "far from the dashed line of the gradient norm takes smaller or larger steps at the "
            "same learning rate, and may be told by that size alone, whatever its direction."
        ),
    )


def _figure(
    tree: xr.DataTree,
    rule_looks: Mapping[str, Look],
    measures: Mapping[str, tuple[str, MeasureScale]],
    *,
    row_height: float,
    what: str,
    meaning: str,
) -> CaptionedFigure | None:
    """A panel for each run of measures that the same rules have, by architecture and task."""
    if "truth" not in tree.children:
        return None
    subjects = tree["subjects"].to_dataset()
    truth = tree["truth"].to_dataset()
    kept = [name for name in truth.data_vars if name in {*measures, *_OF_THE_WHOLE.values()}]
    truth = truth[kept].load().assign_coords({RULE: (SUBJECT, label_text(subjects[RULE]))})
    done = (subjects["status"] == DONE).to_numpy()
    panels, thinned = [], False
    for (architecture, task), members in by_architecture_and_task(subjects).items():
        if not (members & done).any():
            continue
        chosen = truth.isel({SUBJECT: members & done})
        layers = _layers(chosen, measures)
        shown = _spread(layers)
        thinned |= len(shown) < len(layers)
        title = f"{architecture}, {task}, {chosen.sizes[SUBJECT]} subjects"
        rows = [_row(chosen, name, *measures[name], shown) for name in measures if name in chosen]
        for rules, same in groupby([row for row in rows if row.rules], lambda row: row.rules):
            together = list(same)
            figure = layer_grid.draw(
                together, rule_looks=rule_looks, row_height=row_height, title=title
            )
            panels.append(Panel(figure, f"{what}, {title}. {_listed(together, rules)}"))
    fewer = f" Of deeper networks {MOST_LAYERS} layers are shown, evenly by depth." * thinned
    caption = (
        f"{meaning} Line: mean of the subjects of each rule; band: its 95 % interval; "
        f"{int(done.sum())} subjects.{not_shown(done)}{fewer} No decoder sees this; the "
        "numbers are in the store under /truth."
    )
    return CaptionedFigure(tuple(panels), caption, full_width=True) if panels else None


def _layers(truth: xr.Dataset, measures: Mapping[str, tuple[str, MeasureScale]]) -> list[str]:
    """Layers in which anything was measured, from input to output."""
    made = [
        np.isfinite(truth[name].transpose(..., LAYER).to_numpy()).any((0, 1))
        for name in measures
        if name in truth
    ]
    if not made:
        return []
    places = np.flatnonzero(np.any(made, axis=0))
    if "layer_depth" in truth.coords:  # the table's order is that of all architectures together
        depth = np.nan_to_num(truth["layer_depth"].transpose(..., LAYER).to_numpy()).max(0)
        places = places[np.argsort(depth[places], kind="stable")]
    return [str(name) for name in label_text(truth[LAYER])[places]]


def _spread(layers: Sequence[str]) -> list[str]:
    """At most MOST_LAYERS layers, evenly by depth, with the first and the last."""
    count = min(len(layers), MOST_LAYERS)
    return [layers[place] for place in np.linspace(0, len(layers) - 1, count).round().astype(int)]


def _row(
    truth: xr.Dataset, name: str, label: str, scale: MeasureScale, layers: Sequence[str]
) -> MeasureRow:
    place = {layer: index for index, layer in enumerate(label_text(truth[LAYER]))}
    columns = {layer: truth[name].isel({LAYER: place[layer]}) for layer in layers}
    whole = _OF_THE_WHOLE.get(name)
    if whole in truth and np.isfinite(truth[whole]).any():
        columns[WHOLE] = truth[whole]
    return MeasureRow(label, scale, columns)


def _listed(rows: Sequence[MeasureRow], rules: Sequence[str]) -> str:
    """Means at the last visit, in words."""
    said = []
    for row in rows:
        ends = []
        for rule in rules:
            means = [layer_grid.summary(v, rule, row.scale)[1, -1] for v in row.columns.values()]
            numbers = [f"{mean:.3g}" if np.isfinite(mean) else "none" for mean in means]
            ends.append(f"{pretty(rule)} {', '.join(numbers)}")
        said.append(f"{row.label} in {', '.join(row.columns)}: {'; '.join(ends)}")
    return f"Means at the last visit: {'. '.join(said)}."
