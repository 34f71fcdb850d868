"""Figures "Alignment with backpropagation": angles, and norms and signs."""

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
from virtuallab.text import count_noun
from virtuallab.vocabulary import DONE, LAYER, RULE, SUBJECT

MOST_LAYERS: Final = 6  # columns
WHOLE: Final = "all layers"

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
    """Angles between rules and backpropagation, by layer; None if not measured."""
    return _figure(
        tree,
        rule_looks,
        _ANGLES,
        row_height=1.45,
        what="Angles between rules and backpropagation",
        meaning=(
            "Angle between a rule and backpropagation: 0° is the same direction, 90° (dashed) is "
            "expected by chance, and above 90° the rule opposes backpropagation. Gradient: angle "
            "between the update direction of the forward weights and the gradient of the loss, in "
            "each layer and over all parameters. The other rows are for rules with backward "
            "weights. Local gradient: angle between the error returned by the backward weights and "
            "that returned by the forward weights. Projection: angle between the outputs of both "
            "weights for the same input. Weights: angle between both weights. Where rules have "
            "different angles, they change weights in different directions, and a recording of "
            "that layer could distinguish them."
        ),
    )


def sizes_figure(tree: xr.DataTree, rule_looks: Mapping[str, Look]) -> CaptionedFigure | None:
    """Norm ratios and sign agreement, by layer; None if not measured."""
    return _figure(
        tree,
        rule_looks,
        _SIZES,
        row_height=1.15,
        what="Norms and signs relative to backpropagation",
        meaning=(
            "Size of updates and of backward weights relative to backpropagation. Gradient norm: "
            "norm of the update direction of the forward weights divided by that of the gradient "
            "of the loss. Weight norm: norm of the backward weights divided by that of the forward "
            "weights (both geometric means; dashed: equal norms). Sign agreement: share of "
            "synapses whose forward and backward weights have the same sign (dashed: chance). A "
            "rule whose gradient norm is far from 1 takes smaller or larger steps at the same "
            "learning rate, and may be identified by this size alone."
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
    """Figure with a panel for each architecture, task and set of rules with the same measures."""
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
        title = f"{architecture}, {task}, {count_noun(chosen.sizes[SUBJECT], 'subject')}"
        rows = [_row(chosen, name, *measures[name], shown) for name in measures if name in chosen]
        for rules, same in groupby([row for row in rows if row.rules], lambda row: row.rules):
            together = list(same)
            figure = layer_grid.draw(
                together, rule_looks=rule_looks, row_height=row_height, title=title
            )
            panels.append(Panel(figure, f"{what}, {title}. {_listed(together, rules)}"))
    fewer = f" Of deeper networks, {MOST_LAYERS} layers are shown, evenly by depth." * thinned
    caption = (
        f"{meaning} Line: mean over the subjects of each rule; band: its 95 % interval; "
        f"{count_noun(int(done.sum()), 'subject')}.{not_shown(done)}{fewer} Decoders do not use "
        "these numbers, which are in the store under /truth."
    )
    return CaptionedFigure(tuple(panels), caption, full_width=True) if panels else None


def _layers(truth: xr.Dataset, measures: Mapping[str, tuple[str, MeasureScale]]) -> list[str]:
    """Layers with any measure, from input to output."""
    made = [
        np.isfinite(truth[name].transpose(..., LAYER).to_numpy()).any((0, 1))
        for name in measures
        if name in truth
    ]
    if not made:
        return []
    places = np.flatnonzero(np.any(made, axis=0))
    if "layer_depth" in truth.coords:  # the table lists layers of all architectures
        depth = np.nan_to_num(truth["layer_depth"].transpose(..., LAYER).to_numpy()).max(0)
        places = places[np.argsort(depth[places], kind="stable")]
    return [str(name) for name in label_text(truth[LAYER])[places]]


def _spread(layers: Sequence[str]) -> list[str]:
    """Up to MOST_LAYERS layers, evenly by depth, including the first and the last."""
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
    """Sentence on the means at the last visit."""
    said = []
    for row in rows:
        ends = []
        for rule in rules:
            means = [layer_grid.summary(v, rule, row.scale)[1, -1] for v in row.columns.values()]
            numbers = [f"{mean:.3g}" if np.isfinite(mean) else "none" for mean in means]
            ends.append(f"{pretty(rule)} {', '.join(numbers)}")
        said.append(f"{row.label} in {', '.join(row.columns)}: {'; '.join(ends)}")
    return f"Means at the last visit: {'. '.join(said)}."
