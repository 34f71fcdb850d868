"""How well the rules were identified, as figures with their words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from virtuallab.errors import UserError
from virtuallab.report.figures import accuracy, confusion, controls
from virtuallab.report.figures.common.captioned import Panel, Plate
from virtuallab.report.results.analyses import Analysis, Result, analyses
from virtuallab.report.style import pretty
from virtuallab.vocabulary import CLASSIFIER, CONTROL, OBSERVABLE, OBSERVABLES, PROBE

_MANY = 8  # rules, above which a confusion matrix needs the page's width


def accuracy_plate(analysis: Analysis) -> Plate:
    """Accuracy by probe and observable, a panel for each classifier."""
    panels = []
    for classifier, (value, interval) in _by_classifier(analysis).items():
        figure = accuracy.draw(value, interval, chance=analysis.chance, title=pretty(classifier))
        panels.append(
            Panel(
                figure, _listed(f"Balanced accuracy of {pretty(classifier)}", analysis, classifier)
            )
        )
    caption = (
        f"Balanced accuracy with {100 * analysis.confidence:g} % intervals, by probe and "
        f"observable{counted(analysis)}. Dashed: chance, {analysis.chance:.2f}."
    )
    return Plate(tuple(panels), caption)


def controls_plate(analysis: Analysis) -> Plate | None:
    """Controls that should be at chance, a panel for each classifier; None where none was asked."""
    names = _at_chance(analysis)
    if not names:
        return None
    verdict = analysis.dataset
    panels = []
    for classifier, (value, _) in _by_classifier(analysis).items():
        at = {CLASSIFIER: classifier, OBSERVABLE: value[OBSERVABLE], CONTROL: names}
        figure = controls.draw(
            value,
            verdict["control_accuracy"].sel(at),
            verdict["control_interval"].sel(at),
            chance=analysis.chance,
            failed=verdict["control_passed"].sel(at) == 0 if analysis.corrected else None,
            title=pretty(classifier),
        )
        members = [r for r in analysis.results if r.classifier == classifier]
        failed = sum(len(result.leaks) for result in members)
        count = sum(result.controls[name].asked for result in members for name in names)
        panels.append(
            Panel(figure, f"Controls of {pretty(classifier)}: {failed} of {count} above chance.")
        )
    caption = (
        f"Negative controls ({_and(names)}) with {100 * analysis.confidence:g} % intervals"
        f"{counted(analysis)}: each should reach the dashed line of chance. A control that does "
        "not is red. The bar is the accuracy it belongs to."
    )
    return Plate(tuple(panels), caption)


def _at_chance(analysis: Analysis) -> list[str]:
    """Controls that should be at chance and were asked of some result."""
    asked = {c.name for r in analysis.results for c in r.controls.values() if c.asked}
    kinds = {c.name: c.kind for r in analysis.results for c in r.controls.values()}
    return [name for name in analysis.control_names if name in asked and kinds[name] == "chance"]


def _and(names: Sequence[str]) -> str:
    *first, last = map(pretty, names)
    return f"{', '.join(first)} and {last}" if first else last


def confusion_plate(analysis: Analysis) -> Plate | None:
    """Confusion matrix of one result of each probe."""
    if "confusion" not in analysis.dataset or not analysis.results:
        return None
    panels = []
    of_probes = [(r, _confusion(analysis, r)) for r in analysis.of_probes]
    # One order for all panels, so that they can be compared.
    every = xr.concat([counts for _, counts in of_probes], "panel").sum("panel")
    order = confusion.neighbours(every)
    for result, found in of_probes:
        counts = found.sel(true_rule=order, predicted_rule=order)
        title = f"{result.probe}: {pretty(result.observable)}, {pretty(result.classifier)}"
        shares = confusion.row_shares(counts)
        rules = [str(rule) for rule in counts["true_rule"].to_numpy()]
        right = ", ".join(
            f"{pretty(rule)} {shares[place, place]:.2f}" for place, rule in enumerate(rules)
        )
        panels.append(
            Panel(
                confusion.draw(counts, title=title),
                f"Confusion matrix of {title}. Share identified rightly: {right}.",
            )
        )
    caption = (
        "Share of the subjects of each true rule that were identified as each rule, "
        f"{analysis.choice}{counted(analysis)}. The diagonal is what was right. Rules that are "
        "taken for one another stand side by side: their order was chosen by these same counts, so "
        "blocks beside the diagonal are no evidence of kinship by themselves."
    )
    return Plate(tuple(panels), caption, broad=len(order) > _MANY)


def summary_figure(tree: xr.DataTree, *, width: float = 7.2) -> Figure:
    """Draw accuracy by probe and observable against chance: the experiment in one picture.

    Parameters
    ----------
    tree : xr.DataTree
        An experiment that was decoded.
    width : float
        In inches.

    Raises
    ------
    UserError
        If nothing is decoded yet.

    See Also
    --------
    virtuallab.report.render.svg, virtuallab.report.render.png
    """
    found = [analysis for analysis in analyses(tree) if analysis.results]
    if not found:
        raise UserError("nothing is decoded yet, so there is nothing to draw.")
    shown = found[0].shown
    assert shown is not None
    value, interval = _by_classifier(found[0])[shown.classifier]
    return accuracy.draw(value, interval, chance=found[0].chance, width=width)


def _by_classifier(analysis: Analysis) -> dict[str, tuple[xr.DataArray, xr.DataArray]]:
    """Accuracy and its interval of each classifier, observables in the order of the field."""
    verdict = analysis.dataset
    names = [str(name) for name in verdict[OBSERVABLE].to_numpy()]
    ordered = sorted(names, key=lambda n: OBSERVABLES.index(n) if n in OBSERVABLES else len(names))
    chosen = verdict.sel({OBSERVABLE: ordered}).transpose(PROBE, OBSERVABLE, ...)
    return {
        str(classifier): (
            chosen["balanced_accuracy"].sel({CLASSIFIER: classifier}),
            chosen["interval"].sel({CLASSIFIER: classifier}),
        )
        for classifier in verdict[CLASSIFIER].to_numpy()
    }


def _listed(what: str, analysis: Analysis, classifier: str) -> str:
    members = [r for r in analysis.results if r.classifier == classifier]
    each = "; ".join(f"{r.probe}, {pretty(r.observable)}: {r.accuracy}" for r in members)
    return f"{what}, chance {analysis.chance:.2f}. {each}."


def counted(analysis: Analysis) -> str:
    """How many subjects an analysis rests on, where it says so."""
    found = analysis.dataset.get("n_subjects", analysis.dataset.attrs.get("n_subjects"))
    if found is None:
        return ""
    counts = sorted({int(count) for count in np.atleast_1d(np.asarray(found))})
    span = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"; {span} subjects"


def _confusion(analysis: Analysis, result: Result) -> xr.DataArray:
    return analysis.dataset["confusion"].sel(_cell(result), drop=True)


def _cell(result: Result) -> dict[str, str]:
    return {
        PROBE: result.probe,
        OBSERVABLE: result.observable,
        CLASSIFIER: result.classifier,
    }
