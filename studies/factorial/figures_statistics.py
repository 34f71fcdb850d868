"""Figures of statistics over visits: their change by rule, and their importance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from studies.factorial.subjects import Recorded
from virtuallab.reporting.figures.common.axes import (
    DASHED,
    faint_grid,
    legend_entries,
    training_time,
)
from virtuallab.reporting.figures.importance import heat_map
from virtuallab.reporting.figures.learning_curves import draw_quartiles
from virtuallab.reporting.style import CONTROL_GREY, looks, pretty, theme
from virtuallab.vocabulary import CHANGE_NAME, LAYER, STATISTIC, SUBJECT, VISIT

WIDTH: Final = 6.4  # inches: the width of a page of the documentation
KINDS: Final = ("knet4-1 on digits", "alexnet-1 on patches", "resnet18 on patches")
# Changes without a unit, by name, with the label of their axis.
CHANGES: Final[Mapping[str, str]] = {
    "actraw_norm_logratio": "activity, norm\n(log ratio)",
    "actabs_median_logratio": "|activity|, median\n(log ratio)",
    "weightabs_mean_logratio": "|weights|, mean\n(log ratio)",
    "gradavgabs_id_logratio": "activity change\n(log ratio)",
    "act_cosine_start": "activity, cosine\nwith visit 0",
}
# Rules of the study have the colours that the same rules have in reports.
_SAME: Final = {"feedback": "feedback_alignment", "information": "information_alignment"}
_STEPS: Final = (1, 2, 5, 10)  # between two ticks, times a power of ten
# Published names of statistics, "actabs_mean", by their parts.
_FORMS: Final = {"raw": "", "abs": ", absolute", "sq": ", squared"}
_AGGREGATES: Final = {"thirdquartile": "third quartile", "var": "variance"}
_ROW: Final = 0.135  # inches of a statistic
_EACH: Final = 5  # visits with this number, and its multiples, have a label


def trajectories_figure(
    recorded: Recorded,
    kinds: Sequence[str] = KINDS,
    changes: Mapping[str, str] = CHANGES,
) -> Figure:
    """Changes since visit 0 over training, by rule.

    Lines are medians over the subjects of a rule, bands their quartiles. The value of a subject is
    the mean over its layers.

    Parameters
    ----------
    recorded : Recorded
    kinds : sequence of str
        Kinds of subjects, one a column.
    changes : mapping from name to label
        Changes of the features, one a row.
    """
    found = recorded.features["change"].sel({CHANGE_NAME: list(changes)})
    known = looks([_SAME.get(rule, rule) for rule in recorded.classes])
    rule_looks = {rule: known[_SAME.get(rule, rule)] for rule in recorded.classes}
    with theme():
        figure = Figure(figsize=(WIDTH, 0.9 + 1.2 * len(changes)), layout="constrained")
        grid = figure.subplots(len(changes), len(kinds), squeeze=False, sharex=True)
        for column, kind in enumerate(kinds):
            mine = found.isel({SUBJECT: recorded.kinds == kind}).mean(LAYER)
            axis, time = training_time(mine, ("step", "epoch"))
            for axes, name in zip(grid[:, column], changes, strict=True):
                draw_quartiles(axes, axis, mine.sel({CHANGE_NAME: name}), rule_looks)
                _mark_start(axes, mine.sel({CHANGE_NAME: name}))
                axes.set_xlim(float(axis[0]), float(axis[-1]))
                faint_grid(axes, "y")
            grid[0, column].set_title(kind)
            grid[-1, column].set_xlabel(time)
        for axes, label in zip(grid[:, 0], changes.values(), strict=True):
            axes.set_ylabel(label)
        figure.align_ylabels(grid[:, 0])
        entries = legend_entries(grid.flat)
        figure.legend(
            entries.values(),
            entries.keys(),
            loc="outside lower center",
            ncols=len(entries),
            handlelength=2.6,
        )
    return figure


def _mark_start(axes: Axes, values: xr.DataArray) -> None:
    """Draw a dashed line at the value of a recording that does not change."""
    start = float(values.isel({VISIT: 0}).median())
    axes.axhline(start, color=CONTROL_GREY, linestyle=DASHED, linewidth=1.0, zorder=0)
    axes.xaxis.set_major_locator(MaxNLocator(4, steps=_STEPS, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=_STEPS))


def statistic_name(published: str) -> str:
    """Readable name of a published statistic, without its observable.

    >>> statistic_name("actabs_thirdquartile"), statistic_name("weightraw_var")
    ('third quartile, absolute', 'variance')
    """
    values, aggregate = published.split("_")
    form = next(text for end, text in _FORMS.items() if values.endswith(end))
    return _AGGREGATES.get(aggregate, aggregate) + form


def importance_figure(importance: Mapping[str, xr.DataArray]) -> Figure:
    """Impurity importance of each statistic at each visit, relative to the mean of its observable.

    Parameters
    ----------
    importance : mapping from observable to xr.DataArray, (statistic, visit)
        Values that sum to one.
    """
    relative = {name: each / each.mean() for name, each in importance.items()}
    sizes = [each.sizes[STATISTIC] for each in relative.values()]
    top = max(float(each.max()) for each in relative.values())
    with theme():
        height = 1.0 + sum(_ROW * size + 0.3 for size in sizes)
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        every = figure.subplots(
            len(sizes), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": sizes}
        )[:, 0]
        for axes, (name, each) in zip(every, relative.items(), strict=True):
            statistics = [statistic_name(str(name)) for name in each[STATISTIC].values]
            heat_map(axes, each.transpose(STATISTIC, VISIT).to_numpy(), statistics, top)
            axes.set_title(pretty(name), loc="left")
        visits = each[VISIT].to_numpy()
        shown = [place for place, visit in enumerate(visits) if visit % _EACH == 0]
        every[-1].set_xticks([place + 0.5 for place in shown], [str(visits[s]) for s in shown])
        every[-1].set_xlabel("visit")
        figure.colorbar(
            every[0].collections[0],
            ax=list(every),
            label="impurity importance relative to the mean",
            fraction=0.04,
            aspect=30,
        )
    return figure
