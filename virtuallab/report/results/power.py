"""What a search for the least that has to be recorded has found: a sentence, and a page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rich.console import Group, RenderableType

from virtuallab.console import framed, plain
from virtuallab.decoder.power_result import PowerResult, Requirement, Values
from virtuallab.report.figures.common.captioned import Panel, Plate
from virtuallab.report.figures.designs import cost_front as front
from virtuallab.report.figures.designs import setting_curves as curves
from virtuallab.report.figures.designs.best_designs import label
from virtuallab.report.figures.designs.setting_curves import Curve
from virtuallab.report.page.experiment import environment
from virtuallab.report.style import observable_look, pretty


@dataclass(frozen=True)
class Asked:
    """What was asked, for the words."""

    title: str
    question: str
    observable: str
    classifier: str
    n_subjects: int
    seeds: int


def sentences(found: PowerResult) -> list[str]:
    """Say the answer in plain words, the most important first."""
    target, sure = f"{found.target:g}", f"{100 * found.confidence:g} %"
    low, value, high = found.expected_dearest
    most = (
        f"with {told(found.dearest.values)} no more is to be expected than {value:.2f} "
        f"({low:.2f} to {high:.2f})"
    )
    if found.chosen is not None:
        assert found.confirmed is not None
        anew = found.confirmed
        said = [
            f"Take {told(found.chosen)}: the cheapest design that reaches a balanced accuracy of "
            f"{target} with {sure} confidence, at a cost of {anew.cost:.4g}.",
            f"Tried anew it reached {anew.accuracy:.2f} ({anew.low:.2f} to {anew.high:.2f}).",
        ]
    elif found.possible:
        said = [
            f"A balanced accuracy of {target} may be reached, but no design tried reaches it with "
            f"{sure} confidence.",
            f"Even {most}. More subjects would make it surer.",
        ]
    elif high >= found.target:
        said = [
            f"A balanced accuracy of {target} is not reached by any design within these bounds, as "
            "far as can be told.",
            f"Even {most}. More subjects would make it surer; wider bounds may reach it.",
        ]
    else:
        said = [
            f"A balanced accuracy of {target} cannot be reached within these bounds.",
            f"Even {most}.",
        ]
    return [*said, *(_least(each, sure) for each in found.least if np.isfinite(each.value))]


def _least(each: Requirement, sure: str) -> str:
    bound = "at least" if each.more else "at most"
    ends = " to ".join(
        f"{end:.4g}" if np.isfinite(end) else "beyond the bounds" for end in (each.low, each.high)
    )
    return f"Needed: {label(each.setting)} of {bound} {each.value:.4g} ({sure} interval {ends})."


def told(values: Values) -> str:
    """Name a design by its open settings."""
    return ", ".join(
        f"{value} {label(path)}" if isinstance(value, int) else f"{label(path)} {value:.3g}"
        for path, value in values.items()
    )


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def power_summary(found: PowerResult, asked: Asked) -> RenderableType:
    """Lay out the answer for the terminal: the front, then the sentences."""
    table = framed(
        title=f"{asked.title}: what no other design tried beats in both cost and accuracy",
    )
    paths = list(found.dearest.values)
    for column in ("cost", *map(label, paths), "accuracy", f"{100 * found.confidence:g} %"):
        table.add_column(column, justify="right")
    for each in found.front:
        table.add_row(
            f"{each.cost:.4g}",
            *(_short(each.values[path]) for path in paths),
            f"{each.accuracy:.2f}",
            f"{each.low:.2f}-{each.high:.2f}",
        )
    return Group(table, *(plain(sentence) for sentence in sentences(found)), plain(_basis(asked)))


def _basis(asked: Asked) -> str:
    return (
        f"From {pretty(asked.observable)}, by {pretty(asked.classifier)}, in {asked.n_subjects} "
        f"subjects, each design implanted {asked.seeds} times."
    )


def power_page(found: PowerResult, asked: Asked) -> str:
    """Write the answer as a self-contained HTML page."""
    return (
        environment()
        .get_template("power.html.jinja")
        .render(
            title=asked.title,
            question=asked.question,
            sentences=sentences(found),
            basis=_basis(asked),
            front=_front(found),
            along=_along(found, asked),
            found=found,
            paths=list(found.dearest.values),
            label=label,
            short=_short,
            sure=f"{100 * found.confidence:g} %",
        )
    )


def _front(found: PowerResult) -> Plate:
    figure = front.draw(
        found.tried,
        found.front,
        target=found.target,
        chance=found.chance,
        confirmed=found.confirmed,
    )
    each = "; ".join(f"{one.accuracy:.2f} at a cost of {one.cost:.4g}" for one in found.front)
    alt = f"Balanced accuracy against cost. Not beaten in both: {each}."
    anew = " That of the design recommended is from recordings made anew."
    caption = (
        f"Cost and balanced accuracy of {len(found.tried)} designs. Line: designs that no other "
        "beats in both, with intervals. They were chosen among all by the numbers drawn, so their "
        f"accuracies are too high.{anew if found.confirmed is not None else ''}"
    )
    return Plate((Panel(figure, alt),), caption)


def _along(found: PowerResult, asked: Asked) -> Plate:
    panels = []
    look = observable_look(asked.observable)
    for each in found.along:
        curve = Curve(pretty(asked.observable), each.x, each.value, each.low, each.high, look)
        figure = curves.draw(
            [curve], chance=found.chance, axis=label(each.setting), target=found.target
        )
        span = f"from {each.value.min():.2f} to {each.value.max():.2f}"
        panels.append(Panel(figure, f"Expected accuracy along {label(each.setting)}: {span}."))
    held = found.chosen or found.dearest.values
    others = f", the others held at {told(held)}" if len(found.along) > 1 else ""
    caption = (
        f"Expected balanced accuracy along each open setting{others}, fitted to all designs tried, "
        f"with {100 * found.confidence:g} % intervals over subjects."
    )
    return Plate(tuple(panels), caption)
