"""How far a verdict reaches: its own doubt, what was held out, and rules that nobody taught it."""

from __future__ import annotations

import numpy as np

from virtuallab.report.figures import held_out, left_out, reliability
from virtuallab.report.figures.common.captioned import Panel, Plate
from virtuallab.report.results.analyses import Analysis, Result
from virtuallab.report.style import pretty
from virtuallab.report.verdict_plates import counted


def reliability_plate(analysis: Analysis) -> Plate | None:
    """Reliability of one result of each probe; None where it was not measured."""
    panels, errors = [], []
    for result in analysis.of_probes:
        found = result.calibration
        if found is None or not found.count:
            continue
        figure = reliability.draw(found.stated, found.observed, found.count, title=_title(result))
        bins = "; ".join(
            f"stated {stated:.2f}, right {observed:.2f}, {count} subjects"
            for stated, observed, count in zip(
                found.stated, found.observed, found.count, strict=True
            )
        )
        panels.append(Panel(figure, f"Reliability diagram of {_title(result)}. {bins}."))
        errors.append(f"{result.probe} {found}")
    if not panels:
        return None
    caption = (
        "How sure the decoder was of the rule it named, and how often it was right, in bins of "
        f"subjects (area: their number), {analysis.choice}{counted(analysis)}. "
        "Dashed: right as often as it says. Calibration error, the mean distance from that line: "
        f"{', '.join(errors)}."
    )
    return Plate(tuple(panels), caption)


def held_out_plate(analysis: Analysis) -> Plate | None:
    """Accuracy on each group held out, of one result of each probe; None without any."""
    panels = []
    for result in analysis.of_probes:
        if not result.by_split:
            continue
        figure = held_out.draw(
            result.by_split,
            known=result.accuracy.value,
            chance=analysis.chance,
            title=_title(result),
        )
        each = "; ".join(f"{label} {accuracy}" for label, accuracy in result.held_out.items())
        panels.append(
            Panel(
                figure,
                f"Accuracy of {_title(result)} on what was held out: {each}; "
                f"{result.accuracy} where every kind was known, chance {analysis.chance:.2f}.",
            )
        )
    if not panels:
        return None
    caption = (
        "Balanced accuracy on subjects of a kind that no training subject was of, with "
        f"{100 * analysis.confidence:g} % intervals, {analysis.choice}"
        f"{counted(analysis)}. Dashed: chance, {analysis.chance:.2f}; line: the accuracy where "
        "training subjects were of every kind. A bar near the dashed line says that what the "
        "decoder learned does not carry over to that kind."
    )
    return Plate(tuple(panels), caption)


def left_out_plate(analysis: Analysis) -> Plate | None:
    """How well rules left out are told, for one result of each probe; None without any."""
    chosen = [result for result in analysis.of_probes if result.left_out]
    if not chosen:
        return None
    rules = dict.fromkeys(rule for result in chosen for rule in result.left_out)
    # One order for all panels, so that they can be compared.
    mean = {r: np.mean([each.left_out[r] for each in chosen if r in each.left_out]) for r in rules}
    order = sorted(rules, key=lambda rule: -mean[rule])
    panels = []
    for result in chosen:
        areas = {rule: result.left_out[rule] for rule in order if rule in result.left_out}
        each = ", ".join(f"{pretty(rule)} {area:.2f}" for rule, area in areas.items())
        panels.append(
            Panel(
                left_out.draw(areas, title=_title(result)),
                f"AUROC of “none of these” for {_title(result)}, by the rule left out: {each}.",
            )
        )
    caption = (
        "Each rule was left out of training in turn, and its subjects shown beside subjects of the "
        "rules that the decoder knows: how well “none of these” is told (area under the curve; "
        f"dashed: guessing), {analysis.choice}. A rule near the dashed line would "
        "be taken for one that the decoder knows."
    )
    return Plate(tuple(panels), caption)


def _title(result: Result) -> str:
    return f"{result.probe}: {pretty(result.observable)}, {pretty(result.classifier)}"
