"""Sentences on the result of a power analysis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from virtuallab.decoder.power_result import PowerResult, Requirement, Values
from virtuallab.reporting.style import pretty, setting_name
from virtuallab.text import count_noun, percent


@dataclass(frozen=True)
class PowerQuestion:
    """Question of a power analysis, and the data it is answered from.

    Parameters
    ----------
    title, question : str
    observable, classifier : str
    n_subjects : int
    seeds : int
        Implantations of each design.
    """

    title: str
    question: str
    observable: str
    classifier: str
    n_subjects: int
    seeds: int

    @property
    def basis(self) -> str:
        """Sentence on the data."""
        return (
            f"Decoded from {pretty(self.observable)} by {pretty(self.classifier)} in "
            f"{count_noun(self.n_subjects, 'subject')}, with "
            f"{count_noun(self.seeds, 'implantation')} of each design."
        )


def sentences(found: PowerResult) -> list[str]:
    """Sentences on the result, the most important first."""
    target, sure = f"{found.target:g}", percent(found.confidence)
    low, value, high = found.expected_dearest
    largest = (
        f"The largest design, {design_text(found.dearest.values)}, is expected to reach "
        f"{value:.2f} ({low:.2f} to {high:.2f})."
    )
    if found.chosen is not None:
        assert found.confirmed is not None
        anew = found.confirmed
        predicted = (
            f"Use {design_text(found.chosen)}, at a cost of {anew.cost:.4g}: the cheapest design "
            f"that is predicted to reach a balanced accuracy of {target}."
        )
        reached = (
            f"In new recordings it reached {anew.accuracy:.2f} ({sure} interval {anew.low:.2f} to "
            f"{anew.high:.2f})"
        )
        answer = [
            predicted,
            f"{reached}: the target is reached with {sure} confidence."
            if found.is_reached
            else f"{reached}: the interval includes values below the target, so {sure} confidence "
            "needs more subjects or a larger design.",
        ]
    elif found.possible:
        answer = [
            f"A balanced accuracy of {target} may be reached, but no design is predicted to reach "
            f"it in {sure} of bootstrap samples.",
            f"{largest} More subjects would narrow the intervals.",
        ]
    elif high >= found.target:
        answer = [
            f"A balanced accuracy of {target} is not expected within these bounds, but cannot be "
            "excluded.",
            f"{largest} More subjects would narrow the intervals; wider bounds may reach the "
            "target.",
        ]
    else:
        answer = [
            f"A balanced accuracy of {target} cannot be reached within these bounds.",
            largest,
        ]
    return [*answer, *(_least(each, sure) for each in found.least if np.isfinite(each.value))]


def _least(each: Requirement, sure: str) -> str:
    bound = "at least" if each.more else "at most"
    ends = " to ".join(
        f"{end:.4g}" if np.isfinite(end) else "beyond the bounds" for end in (each.low, each.high)
    )
    name = setting_name(each.setting)
    return f"Needed: {name} of {bound} {each.value:.4g} ({sure} interval {ends})."


def design_text(values: Values) -> str:
    """Open settings of a design, as part of a sentence."""
    return ", ".join(
        f"{value} {setting_name(path)}"
        if isinstance(value, int)
        else f"{setting_name(path)} {value:.3g}"
        for path, value in values.items()
    )
