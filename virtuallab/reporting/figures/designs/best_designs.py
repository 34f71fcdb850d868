"""Figure "Best design of each name"."""

from __future__ import annotations

import numpy as np
import xarray as xr

from virtuallab.reporting.figures import accuracy
from virtuallab.reporting.figures.common.captioned import CaptionedFigure, Panel
from virtuallab.reporting.figures.designs.settings import best_design, named, names_of
from virtuallab.reporting.results.comparison import corrected_interval
from virtuallab.reporting.style import pretty
from virtuallab.text import percent
from virtuallab.vocabulary import CLASSIFIER, DESIGN, OBSERVABLE, PROBE


def best_designs_figure(found: xr.Dataset) -> CaptionedFigure:
    """Accuracy of the best design of each name, by observable, with a panel for each classifier."""
    names, chance = names_of(found), float(found.attrs["chance"])
    panels = []
    for classifier in map(str, found[CLASSIFIER].values):
        of = found.sel({CLASSIFIER: classifier})
        rows = xr.concat(
            [
                _best(named(of, name))[["balanced_accuracy", "interval"]].drop_vars(DESIGN)
                for name in names
            ],
            dim=xr.DataArray(np.array(names, dtype=object), dims=PROBE, name=PROBE),
            coords="minimal",
            compat="override",
            join="override",
        )
        value, interval = rows["balanced_accuracy"], rows["interval"]
        title = pretty(classifier) if found.sizes[CLASSIFIER] > 1 else ""
        figure = accuracy.draw(value, interval, chance=chance, title=title)
        each = "; ".join(f"{n}: {float(value.sel({PROBE: n}).max()):.2f}" for n in names)
        panels.append(Panel(figure, f"Balanced accuracy of the best design of each name. {each}."))
    caption = (
        "Balanced accuracy of the best design of each name, with "
        f"{percent(float(found.attrs['confidence']))} intervals. "
        "The best of several designs is biased upwards: for a name with several designs, the "
        f"interval is corrected for their number. Dashed line: chance, {chance:.2f}."
    )
    return CaptionedFigure(tuple(panels), caption)


def _best(of: xr.Dataset) -> xr.Dataset:
    """Best design, with intervals corrected for the choice among several."""
    best, count = best_design(of), of.sizes[DESIGN]
    if count == 1:
        return best
    bounds = [
        corrected_interval(best.isel({OBSERVABLE: i}), count, float(of.attrs["confidence"]))
        for i in range(best.sizes[OBSERVABLE])
    ]
    return best.assign(interval=((OBSERVABLE, "bound"), np.array(bounds)))
