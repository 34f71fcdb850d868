"""Figure "Recorded activity": one recording of each rule, before and after learning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from virtuallab.labels import label_text
from virtuallab.reporting.figures.common.axes import set_figure_title
from virtuallab.reporting.figures.common.captioned import CaptionedFigure, Panel
from virtuallab.reporting.style import PANEL_WIDTH, pretty, theme
from virtuallab.text import count_noun
from virtuallab.vocabulary import ACTIVITY, DONE, RULE, STIMULUS, SUBJECT, UNIT, VISIT

RecordingCheck = Callable[[str, int], None]  # of a node and the index of a subject

MAX_UNITS: Final = 160  # rows that a screen can show


def unchecked(node: str, subject: int) -> None:
    """Accept any recording."""


def activity_figure(
    tree: xr.DataTree, preferred: Sequence[str] = (), check: RecordingCheck = unchecked
) -> CaptionedFigure | None:
    """Activity of the first subject of each rule in one probe; None if no recording is stored.

    Shows the first of the ``preferred`` probes with stored recordings. ``check`` is called before a
    recording is read, and raises if it is damaged.
    """
    place = _recordings(tree, preferred)
    if place is None:
        return None
    probe, architecture = place
    path = f"recordings/{probe}/{architecture}"
    node = tree[path].to_dataset()
    subjects = tree["subjects"].to_dataset()
    status, rules = subjects["status"].to_numpy(), label_text(subjects[RULE])
    panels = []
    for rule in sorted(set(rules)):
        shown = _first_recorded(
            node, np.flatnonzero((rules == rule) & (status == DONE)), partial(check, path)
        )
        if shown is None:
            continue
        name = str(shown[SUBJECT].item())
        alt = (
            f"Heat map of {shown.sizes[UNIT]} units by {shown.sizes[STIMULUS]} stimuli "
            f"in {name}, trained with {pretty(rule)}, at the first and the last visit."
        )
        panels.append(Panel(draw(shown, title=f"{pretty(rule)}, {name}"), alt))
    caption = (
        f"Activity recorded by the probe “{probe}” in {architecture}, for the first subject of "
        f"each rule ({count_noun(len(panels), 'subject')}). Rows are units, columns are stimuli; "
        "responses are divided by the largest response of the layer at both visits."
    )
    return CaptionedFigure(tuple(panels), caption) if panels else None


def _recordings(tree: xr.DataTree, preferred: Sequence[str]) -> tuple[str, str] | None:
    """A probe with stored activity, the preferred first, and an architecture."""
    if "recordings" not in tree.children:
        return None
    kept = tree["recordings"].children
    for probe in dict.fromkeys([name for name in preferred if name in kept] + sorted(kept)):
        for architecture in sorted(kept[probe].children):
            if ACTIVITY in kept[probe][architecture]:
                return probe, architecture
    return None


def _first_recorded(
    node: xr.Dataset, candidates: np.ndarray, inspect: Callable[[int], None]
) -> xr.DataArray | None:
    """Responses of the first of these subjects in the node, with labels as coordinates."""
    for index in candidates:
        inspect(int(index))
        seen = node.isel({SUBJECT: int(index)})
        values = seen[ACTIVITY].load()
        if not np.isfinite(values.to_numpy()).any():
            continue
        labels = {
            name: seen[name].load()
            for name in ("unit_layer", "stimulus_label")
            if name in seen.variables
        }
        return values.assign_coords(labels)
    return None


def draw(activity: xr.DataArray, *, title: str = "") -> Figure:
    """Draw responses of units to stimuli, (visit, stimulus, unit), at the first and last visit.

    Units are ordered by layer, stimuli by class where known. Responses are divided by the 99th
    percentile of their layer at both visits.
    """
    shown = _ordered(activity)
    scaled = _scaled(shown)
    moments = (0, -1) if shown.sizes[VISIT] > 1 else (0,)
    low = -1.0 if float(np.nan_to_num(scaled).min()) < -0.2 else 0.0
    with theme():
        figure = Figure(figsize=(PANEL_WIDTH, 2.9), layout="constrained")
        panels = figure.subplots(1, len(moments), sharey=True, squeeze=False)[0]
        for axes, moment in zip(panels, moments, strict=True):
            image = axes.imshow(
                scaled[moment].T,
                aspect="auto",
                interpolation="nearest",
                cmap="mako" if low == 0.0 else "vlag",
                vmin=low,
                vmax=1.0,
            )
            axes.set_title(_moment(shown, moment), fontsize=8.5)
            axes.set(xlabel="stimulus", xticks=[])
            _mark_classes(axes, shown)
        _mark_layers(panels[0], shown)
        for axes in panels:
            axes.tick_params(length=0)
            for spine in axes.spines.values():
                spine.set_visible(False)
        bar = figure.colorbar(image, ax=list(panels), fraction=0.05, aspect=30, pad=0.02)
        bar.outline.set_visible(False)
        bar.set_label("response / largest in layer")
        bar.ax.tick_params(length=0)
        if title:
            set_figure_title(figure, title)
    return figure


def _ordered(activity: xr.DataArray) -> xr.DataArray:
    """Up to MAX_UNITS units by layer; stimuli by class."""
    layers = label_text(activity["unit_layer"])
    # Recordings list units from the first layer to the last.
    rank = {layer: place for place, layer in reversed(list(enumerate(layers)))}
    order = np.array(sorted(range(len(layers)), key=lambda unit: (rank[layers[unit]], unit)))
    if len(order) > MAX_UNITS:
        order = order[np.linspace(0, len(order) - 1, MAX_UNITS).round().astype(int)]
    shown = activity.isel({UNIT: order}).transpose(VISIT, STIMULUS, UNIT)
    if "stimulus_label" in activity.coords:
        by_class = np.argsort(activity["stimulus_label"].to_numpy(), kind="stable")
        shown = shown.isel({STIMULUS: by_class})
    return shown


def _scaled(shown: xr.DataArray) -> np.ndarray:
    values = shown.isel({VISIT: [0, -1]}).to_numpy().astype(float)
    layers = label_text(shown["unit_layer"])
    scaled = np.zeros_like(values)
    for layer in np.unique(layers):
        inside = layers == layer
        sizes = np.abs(values[..., inside])
        sizes = sizes[np.isfinite(sizes)]  # not finite in networks that diverge
        largest = np.percentile(sizes, 99) if sizes.size else 0.0
        scaled[..., inside] = values[..., inside] / (largest if largest > 0 else 1.0)
    return np.asarray(np.clip(scaled, -1.0, 1.0))


def _moment(shown: xr.DataArray, moment: int) -> str:
    at = shown.isel({VISIT: moment})
    if int(at[VISIT]) == 0:
        return "before learning"
    return (
        f"after {float(at['epoch']):.3g} epochs"
        if "epoch" in at.coords
        else f"visit {int(at[VISIT])}"
    )


def _mark_layers(axes: Axes, shown: xr.DataArray) -> None:
    layers = label_text(shown["unit_layer"])
    edges = np.flatnonzero(layers[1:] != layers[:-1]) + 0.5
    bounds = np.concatenate([[-0.5], edges, [len(layers) - 0.5]])
    middles = (bounds[1:] + bounds[:-1]) / 2
    axes.set_yticks(middles, [layers[round(middle)] for middle in middles])
    for panel in axes.figure.axes:
        for edge in edges:
            panel.axhline(edge, color="white", linewidth=1.0)


def _mark_classes(axes: Axes, shown: xr.DataArray) -> None:
    if "stimulus_label" not in shown.coords:
        return
    labels = shown["stimulus_label"].to_numpy()
    for edge in np.flatnonzero(labels[1:] != labels[:-1]) + 0.5:
        axes.axvline(edge, color="white", linewidth=0.3, alpha=0.6)
    axes.set_xlabel("stimulus, by class")
