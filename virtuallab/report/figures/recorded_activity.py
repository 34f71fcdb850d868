"""What a probe sees of one subject, before and after learning."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from virtuallab.labels import words
from virtuallab.report.style import PANEL_WIDTH, theme
from virtuallab.vocabulary import STIMULUS, UNIT, VISIT

MAX_UNITS = 160  # more rows than pixels would only be averaged away by the reader's screen


def draw(activity: xr.DataArray, *, title: str = "") -> Figure:
    """Draw the recorded units against the stimuli at the first and at the last visit.

    Units are ordered by layer, stimuli by class where known. Each layer is scaled by the largest
    response it gives at either visit (99th percentile), so that quiet layers can be seen.

    Parameters
    ----------
    activity : xr.DataArray
        One subject's responses, dims (visit, stimulus, unit), with coord ``unit_layer(unit)`` and,
        where known, ``stimulus_label(stimulus)`` and ``epoch(visit)``.
    title : str
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
        bar.set_label("response, of its layer's largest")
        bar.ax.tick_params(length=0)
        if title:
            figure.suptitle(title, x=0.01, ha="left", fontsize=9)
    return figure


def _ordered(activity: xr.DataArray) -> xr.DataArray:
    """Units by depth and layer, at most MAX_UNITS of them; stimuli by class."""
    layers = words(activity["unit_layer"])
    # Recordings list units from the first layer to the last, so a layer's first place ranks it.
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
    layers = words(shown["unit_layer"])
    scaled = np.zeros_like(values)
    for layer in np.unique(layers):
        inside = layers == layer
        sizes = np.abs(values[..., inside])
        sizes = sizes[np.isfinite(sizes)]  # of a network about to diverge some may not be
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
    layers = words(shown["unit_layer"])
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
