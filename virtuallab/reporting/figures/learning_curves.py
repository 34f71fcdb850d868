"""Figure "Learning curves": validation accuracy and loss over training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from virtuallab.labels import label_text
from virtuallab.reporting.figures.common.axes import (
    faint_grid,
    make_logarithmic,
    single_axes,
    training_time,
)
from virtuallab.reporting.figures.common.captioned import CaptionedFigure, Panel
from virtuallab.reporting.results.subjects import by_architecture_and_task, measure_of, not_shown
from virtuallab.reporting.style import Look, looks, pretty, theme
from virtuallab.text import count_noun
from virtuallab.vocabulary import CROSS_ENTROPY, DONE, PERFORMANCE, RULE, SUBJECT, VISIT

_WIDE_RANGE: Final = 20.0  # ratio of medians above which losses have a logarithmic axis
_LEARNED: Final = (PERFORMANCE, "validation_loss")


def learning_figure(tree: xr.DataTree, rule_looks: Mapping[str, Look]) -> CaptionedFigure | None:
    """Performance and loss by rule, for each architecture, task and loss; None before training."""
    if "truth" not in tree.children or PERFORMANCE not in tree["truth"]:
        return None
    subjects = tree["subjects"].to_dataset()
    done = (subjects["status"] == DONE).to_numpy()
    panels = []
    for (architecture, task, minimised), members in _groups(subjects):
        if not (members & done).any():
            continue
        for variable in _LEARNED:
            if variable not in tree["truth"]:
                continue
            values = tree["truth"][variable].load()
            values = values.assign_coords({RULE: (SUBJECT, label_text(subjects[RULE]))})
            chosen = values.isel({SUBJECT: members & done})
            usual = minimised == CROSS_ENTROPY
            learned = task if usual else f"{task}, {pretty(minimised)}"
            title = f"{architecture}, {learned}, {count_noun(chosen.sizes[SUBJECT], 'subject')}"
            loss = variable != PERFORMANCE
            quantity = "loss" if loss else measure_of(tree, task)
            unit = " (nat)" if loss and usual else ""
            figure = draw(
                chosen, f"validation {quantity}{unit}", rule_looks=rule_looks, title=title
            )
            last = chosen.isel({VISIT: -1})
            of, form = label_text(last[RULE]), ".2f" if loss else ".0%"
            ends = ", ".join(
                f"{pretty(rule)} {float(last[of == rule].median()):{form}}"
                for rule in sorted(set(of))
            )
            alt = f"Validation {quantity} over training, {title}. Median at the end: {ends}."
            panels.append(Panel(figure, alt))
    caption = (
        f"Validation {measure_of(tree)} and loss over training. Line: median over the subjects of "
        f"each rule; band: quartiles; {count_noun(int(done.sum()), 'subject')}.{not_shown(done)} "
        "Rules with different learning curves may be distinguished by performance alone. Decoders "
        "do not use these curves; the control “performance” does."
    )
    return CaptionedFigure(tuple(panels), caption) if panels else None


def _groups(subjects: xr.Dataset) -> Iterator[tuple[tuple[str, str, str], np.ndarray]]:
    """Members of each architecture, task and loss."""
    losses = label_text(subjects["loss"])
    for (architecture, task), members in by_architecture_and_task(subjects).items():
        for loss in sorted(set(losses[members])):
            yield (architecture, task, loss), members & (losses == loss)


def draw(
    values: xr.DataArray,
    measured: str = "validation accuracy",
    *,
    rule_looks: Mapping[str, Look] | None = None,
    title: str = "",
) -> Figure:
    """Draw the median of the subjects of each rule at each visit, with a band over the quartiles.

    ``values``, (subject, visit), are what ``measured`` says, a loss or else a fraction, with the
    coordinate ``rule``, and ``epoch`` or ``step`` where known.
    """
    rules = sorted(map(str, set(label_text(values[RULE]))))
    rule_looks = rule_looks or looks(rules)
    axis, label = training_time(values)
    with theme():
        height = 2.41 + 0.17 * -(-len(rules) // 2)  # what the legend needs is added
        figure, axes = single_axes(height)
        draw_quartiles(axes, axis, values, rule_looks)
        axes.set(xlabel=label, ylabel=measured)
        if len(axis) > 1:
            axes.set_xlim(float(axis[0]), float(axis[-1]))
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        else:
            axes.set_xticks(axis, [f"{axis[0]:.3g}"])
        if "loss" in measured:
            _scale_losses(axes)
        else:
            axes.set_ylim(0, 1.02)
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        faint_grid(axes, "y")
        axes.set_title(title, loc="left")
        figure.legend(loc="outside lower center", ncols=2, handlelength=2.6)
    return figure


def draw_quartiles(
    axes: Axes, axis: np.ndarray, values: xr.DataArray, rule_looks: Mapping[str, Look]
) -> None:
    """Draw the median of the subjects of each rule into axes, with a band over the quartiles.

    ``values`` has the dimensions (subject, visit) and the coordinate ``rule``; ``axis`` is the time
    of each visit. NaN is left out.
    """
    labels = label_text(values[RULE])
    for rule in sorted(set(labels.tolist())):
        curves = values.isel({SUBJECT: labels == rule})
        low, median, high = _quartiles(curves.transpose(SUBJECT, VISIT).to_numpy())
        look = rule_looks[rule]
        axes.fill_between(axis, low, high, color=look.colour, alpha=0.18, linewidth=0)
        axes.plot(
            axis,
            median,
            color=look.colour,
            linestyle=look.dash,
            marker=look.marker if len(axis) == 1 else None,
            label=pretty(rule),
        )


def _scale_losses(axes: Axes) -> None:
    """Scale losses from zero, or logarithmically for a wide range."""
    medians = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in axes.lines])
    found = medians[np.isfinite(medians) & (medians > 0)]
    if found.size and found.max() > _WIDE_RANGE * found.min():
        make_logarithmic(axes, "y", found.min() / 1.4, found.max() * 1.4)
    else:
        axes.set_ylim(bottom=0)


def _quartiles(curves: np.ndarray) -> np.ndarray:
    """Quartiles over subjects, (3, visit); NaN at visits without values."""
    found = np.full((3, curves.shape[1]), np.nan)
    reached = np.isfinite(curves).any(axis=0)
    if reached.any():
        found[:, reached] = np.nanpercentile(curves[:, reached], (25, 50, 75), axis=0)
    return found
