"""What a comparison of recording designs found, as figures with their words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import seaborn as sns
import xarray as xr

from virtuallab.decoder.uncertainty.comparison import accuracy_interval
from virtuallab.decoder.uncertainty.intervals import bonferroni
from virtuallab.labels import words
from virtuallab.report.figures import accuracy
from virtuallab.report.figures.common.captioned import Panel, Plate
from virtuallab.report.figures.designs import setting_curves as curves
from virtuallab.report.figures.designs import setting_maps as heat_map
from virtuallab.report.figures.designs.setting_curves import Curve
from virtuallab.report.style import Look, observable_look, pretty
from virtuallab.vocabulary import CLASSIFIER, DESIGN, OBSERVABLE, PROBE, RULE, describe

_MARKERS = "osD^vPX<>ph*"


def best_plate(found: xr.Dataset) -> Plate:
    """Draw the best design of each name, by observable, a panel for each classifier."""
    names = list(dict.fromkeys(map(str, found["design_name"].values)))
    panels = []
    for classifier in map(str, found[CLASSIFIER].values):
        of = found.sel({CLASSIFIER: classifier})
        chosen = [_best(of.isel({DESIGN: of["design_name"].values == name})) for name in names]
        rows = xr.concat(
            [each[["balanced_accuracy", "interval"]].drop_vars(DESIGN) for each in chosen],
            dim=xr.DataArray(np.array(names, dtype=object), dims=PROBE, name=PROBE),
            coords="minimal",
            compat="override",
            join="override",
        )
        value, interval = rows["balanced_accuracy"], rows["interval"]
        chance = float(found.attrs["chance"])
        title = pretty(classifier) if found.sizes[CLASSIFIER] > 1 else ""
        figure = accuracy.draw(value, interval, chance=chance, title=title)
        told = "; ".join(f"{n}: {float(value.sel({PROBE: n}).max()):.2f}" for n in names)
        panels.append(Panel(figure, f"Best balanced accuracy of each design. {told}."))
    caption = (
        f"Balanced accuracy of the best design of each name, with {_percent(found)} intervals. "
        "The best of several designs had luck on its side: where a name stands for several, the "
        "interval is corrected for their number."
    )
    return Plate(tuple(panels), caption)


def _best(of: xr.Dataset) -> xr.Dataset:
    """Keep the design that does best on any observable, its intervals corrected for the choice."""
    best = of.isel({DESIGN: int(of["balanced_accuracy"].max(OBSERVABLE).argmax(DESIGN))})
    count = of.sizes[DESIGN]
    if count == 1:
        return best
    confidence = float(of.attrs["confidence"])
    bounds = [
        corrected_interval(best.isel({OBSERVABLE: place}), count, confidence)
        for place in range(best.sizes[OBSERVABLE])
    ]
    return best.assign(interval=((OBSERVABLE, "bound"), np.array(bounds)))


def corrected_interval(one: xr.Dataset, count: int, confidence: float) -> tuple[float, float]:
    """Interval of an accuracy that was chosen as the best of several; NaN if it was not measured.

    Parameters
    ----------
    one : xr.Dataset
        A design read by one classifier from one observable, with ``identified`` (subject), the
        coordinate ``rule`` and the attribute ``seeds``.
    count : int
        Among how many it was chosen.
    confidence : float
    """
    right = one["identified"].to_numpy().astype(float)
    if not np.isfinite(right).all():
        return np.nan, np.nan
    severe = bonferroni(confidence, count)
    return accuracy_interval(right, words(one[RULE]), severe, repeats=int(one.attrs["seeds"]))


def curve_plates(found: xr.Dataset) -> list[Plate]:
    """Draw accuracy along each setting that takes several numbers, a plate for each."""
    plates = list(_shared_plates(found))
    for classifier, name, of in _groups(found):
        axes = numeric_axes(of)
        if len(axes) == 1 and len(_sharing(found, axes)) > 1:
            continue  # drawn beside the others
        for axis in axes:
            others = [other for other in axes if other != axis]
            panels = list(_curve_panels(of, axis, others, float(found.attrs["chance"]), name))
            if panels:
                plates.append(
                    Plate(tuple(panels), _curve_caption(found, of, axis, others, classifier))
                )
    return plates


def _sharing(found: xr.Dataset, axes: list[str]) -> list[str]:
    """Names whose designs vary in these settings and no others."""
    of = found["design_name"].values
    names = list(dict.fromkeys(map(str, of)))
    return [n for n in names if numeric_axes(found.isel({DESIGN: of == n})) == axes]


def _shared_plates(found: xr.Dataset) -> Iterator[Plate]:
    """Draw the names that vary in one and the same setting beside one another."""
    chance, colours = float(found.attrs["chance"]), sns.color_palette("colorblind").as_hex()
    for axis in numeric_axes(found):
        names = _sharing(found, [axis])
        if len(names) < 2:
            continue
        for classifier in map(str, found[CLASSIFIER].values):
            of = found.isel({DESIGN: np.isin(found["design_name"].values, names)})
            of = of.sel({CLASSIFIER: classifier})
            panels = []
            for observable in [str(o) for o in of[OBSERVABLE].values if _is_there(of, str(o))]:
                lines = [
                    curve_of(mine, axis, observable, name, Look(colour, "solid", marker))
                    for name, colour, marker in zip(names, colours, _MARKERS, strict=False)
                    if _is_there(
                        mine := of.isel({DESIGN: of["design_name"].values == name}), observable
                    )
                ]
                figure = curves.draw(
                    lines, chance=chance, axis=label(axis), title=pretty(observable)
                )
                panels.append(Panel(figure, _told(lines, axis)))
            yield Plate(tuple(panels), _curve_caption(found, of, axis, [], pretty(classifier)))


def _curve_panels(
    of: xr.Dataset, axis: str, others: list[str], chance: float, name: str
) -> Iterator[Panel]:
    observables = [str(o) for o in of[OBSERVABLE].values if _is_there(of, str(o))]
    at = _at_best(of, others[1:])
    if not others:
        lines = [curve_of(at, axis, o, pretty(o), observable_look(o)) for o in observables]
        figure = curves.draw(lines, chance=chance, axis=label(axis), title=name)
        yield Panel(figure, _told(lines, axis))
        return
    other = others[0]
    levels = np.unique(at[other].values)
    for observable in observables:
        palette = sns.color_palette("crest", len(levels)).as_hex()
        lines = [
            curve_of(
                at.isel({DESIGN: at[other].values == level}),
                axis,
                observable,
                f"{level:.4g}",
                Look(colour, "solid", _MARKERS[place % len(_MARKERS)]),
            )
            for place, (level, colour) in enumerate(zip(levels, palette, strict=True))
        ]
        figure = curves.draw(
            lines,
            chance=chance,
            axis=label(axis),
            legend=label(other),
            title=f"{name}: {pretty(observable)}",
        )
        yield Panel(figure, _told(lines, axis))


def curve_of(of: xr.Dataset, axis: str, observable: str, name: str, look: Look) -> Curve:
    """Return the accuracy of designs that differ in one setting, as a line along it."""
    mine = of.sel({OBSERVABLE: observable}).sortby(axis)
    low, high = (mine["interval"].sel(bound=bound).values for bound in ("low", "high"))
    return Curve(name, mine[axis].values, mine["balanced_accuracy"].values, low, high, look)


def heat_plates(found: xr.Dataset) -> list[Plate]:
    """Draw accuracy over the first two settings of each name that varies two or more."""
    plates = []
    chance = float(found.attrs["chance"])
    for classifier, name, of in _groups(found):
        axes = numeric_axes(of)
        if len(axes) < 2:
            continue
        across, down = axes[:2]
        at = _at_best(of, axes[2:])
        columns, rows = np.unique(at[across].values), np.unique(at[down].values)
        panels = []
        for observable in map(str, of[OBSERVABLE].values):
            if not _is_there(of, observable):
                continue
            values = np.full((len(rows), len(columns)), np.nan)
            place = (
                np.searchsorted(rows, at[down].values),
                np.searchsorted(columns, at[across].values),
            )
            values[place] = at["balanced_accuracy"].sel({OBSERVABLE: observable}).values
            title = f"{name}: {pretty(observable)}"
            figure = heat_map.draw(
                values,
                columns,
                rows,
                chance=chance,
                across=label(across),
                down=label(down),
                title=title,
            )
            span = f"{np.nanmin(values):.2f} to {np.nanmax(values):.2f}"
            panels.append(Panel(figure, f"Balanced accuracy of {title}: from {span}."))
        rest = _fixed(at, axes[2:])
        caption = f"Balanced accuracy over {label(across)} and {label(down)}{rest}, {classifier}."
        plates.append(Plate(tuple(panels), caption))
    return plates


def _groups(found: xr.Dataset) -> Iterator[tuple[str, str, xr.Dataset]]:
    for classifier in map(str, found[CLASSIFIER].values):
        for name in dict.fromkeys(map(str, found["design_name"].values)):
            mine = found["design_name"].values == name
            yield pretty(classifier), name, found.isel({DESIGN: mine}).sel({CLASSIFIER: classifier})


def numeric_axes(of: xr.Dataset) -> list[str]:
    """Settings that take several numbers among some designs."""
    return [
        str(name)
        for name, values in of.coords.items()
        if values.dims == (DESIGN,)
        and values.dtype.kind == "f"
        and len(np.unique(values.values[np.isfinite(values.values)])) > 1
    ]


def _at_best(of: xr.Dataset, settings: list[str]) -> xr.Dataset:
    """Hold further settings where the best design has them."""
    best = of.isel({DESIGN: int(of["balanced_accuracy"].max(OBSERVABLE).argmax(DESIGN))})
    for setting in settings:
        of = of.isel({DESIGN: of[setting].values == float(best[setting])})
    return of


def _fixed(of: xr.Dataset, settings: list[str]) -> str:
    told = [f"{label(setting)} {float(of[setting][0]):.4g}" for setting in settings]
    return f", at {', '.join(told)} as in the best design" if told else ""


def _is_there(of: xr.Dataset, observable: str) -> bool:
    return bool(of["balanced_accuracy"].sel({OBSERVABLE: observable}).notnull().any())


def _curve_caption(
    found: xr.Dataset, of: xr.Dataset, axis: str, others: list[str], classifier: str
) -> str:
    by = f", by {label(others[0])}" if others else ""
    rest = _fixed(_at_best(of, others[1:]), others[1:])
    return (
        f"Balanced accuracy along {label(axis)}{by}{rest}, {classifier}, with {_percent(found)} "
        f"intervals; {found.attrs['n_subjects']} subjects, mean of {found.attrs['seeds']} "
        "implantations."
    )


def _told(lines: list[Curve], axis: str) -> str:
    each = "; ".join(
        f"{line.label}: "
        + ", ".join(f"{v:.2f} at {x:.4g}" for x, v in zip(line.x, line.value, strict=True))
        for line in lines
    )
    return f"Balanced accuracy along {label(axis)}. {each}."


def _percent(found: xr.Dataset) -> str:
    return f"{100 * float(found.attrs['confidence']):g} %"


def label(setting: str) -> str:
    """Name a setting as people do."""
    return describe(setting)["long_name"].replace(".", " ")
