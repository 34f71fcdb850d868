"""Selection of designs by their settings, for the figures of comparisons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr

from virtuallab.reporting.style import pretty, setting_name
from virtuallab.vocabulary import CLASSIFIER, DESIGN, OBSERVABLE


def names_of(found: xr.Dataset) -> list[str]:
    """Names of the designs, without repetition."""
    return list(dict.fromkeys(map(str, found["design_name"].values)))


def named(found: xr.Dataset, *names: str) -> xr.Dataset:
    """Designs with one of these names."""
    return found.isel({DESIGN: np.isin(found["design_name"].values, names)})


def groups(found: xr.Dataset) -> Iterator[tuple[str, str, xr.Dataset]]:
    """Yield classifier, name and designs, for each classifier and name."""
    for classifier in map(str, found[CLASSIFIER].values):
        for name in names_of(found):
            yield pretty(classifier), name, named(found, name).sel({CLASSIFIER: classifier})


def numeric_settings(of: xr.Dataset) -> list[str]:
    """Settings with several numeric values among some designs."""
    return [
        str(name)
        for name, values in of.coords.items()
        if values.dims == (DESIGN,)
        and values.dtype.kind == "f"
        and len(np.unique(values.values[np.isfinite(values.values)])) > 1
    ]


def best_design(of: xr.Dataset) -> xr.Dataset:
    """Design with the highest accuracy from any observable."""
    return of.isel({DESIGN: int(of["balanced_accuracy"].max(OBSERVABLE).argmax(DESIGN))})


def at_best(of: xr.Dataset, settings: Sequence[str]) -> xr.Dataset:
    """Designs with the value of the best design in each of these settings."""
    best = best_design(of)
    for setting in settings:
        of = of.isel({DESIGN: of[setting].values == float(best[setting])})
    return of


def held_text(of: xr.Dataset, settings: Sequence[str]) -> str:
    """Values at which settings are held, as part of a sentence; empty without any."""
    values = [f"{setting_name(setting)} {float(of[setting][0]):.4g}" for setting in settings]
    return f", at {', '.join(values)} as in the best design" if values else ""


def measured_observables(of: xr.Dataset) -> list[str]:
    """Observables that were decoded from at least one design."""
    accuracy = of["balanced_accuracy"]
    there = accuracy.notnull().any([dim for dim in accuracy.dims if dim != OBSERVABLE])
    return [str(name) for name in of[OBSERVABLE].values[there.values]]
