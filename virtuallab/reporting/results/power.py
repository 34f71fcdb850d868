"""The answer of a power analysis in sentences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from virtuallab.decoder.power_result import PowerResult, Requirement, Values
from virtuallab.reporting.style import pretty, setting_name
from virtuallab.text import percent


@dataclass(frozen=True)
class PowerQuestion:
    """What a power analysis was asked, and from what it answered.

    Parameters
    ----------
    title, question : str
    observable, classifier : str
    n_subjects : int
    seeds : int
        How often each design was implanted.
    """

    title: str
    question: str
    observable: str
    classifier: str
    n_subjects: int
    seeds: int

    @property
    def basis(self) -> str:
        """The data behind the answer, as a sentence."""
        return (
            f"From {pretty(self.observable)}, by {pretty(self.classifier)}, in {self.n_subjects} "
            f"subjects, each design implanted {self.seeds} times."
        )


def sentences(found: PowerResult) -> list[str]:
    """The answer in plain words, the most important first.

    Parameters
    ----------
    found : PowerResult
    """
    target, sure = f"{found.target:g}", percent(found.confidence)
    low, value, high = found.expected_dearest
    most = (
        f"with {design_text(found.dearest.values)} no more is to be expected than {value:.2f} "
        f"({low:.2f} to {high:.2f})"
    )
    if found.chosen is not None:
        assert found.confirmed is not None
        anew = found.confirmed
        answer = [
            f"Take {design_text(found.chosen)}: the cheapest design that reaches a balanced "
            f"accuracy of {target} with {sure} confidence, at a cost of {anew.cost:.4g}.",
            f"Tried anew it reached {anew.accuracy:.2f} ({anew.low:.2f} to {anew.high:.2f}).",
        ]
    elif found.possible:
        answer = [
            f"A balanced accuracy of {target} may be reached, but no design tried reaches it with "
            f"{sure} confidence.",
            f"Even {most}. More subjects would make it surer.",
        ]
    elif high >= found.target:
        answer = [
            f"A balanced accuracy of {target} is not reached by any design within these bounds, as "
            "far as can be told.",
            f"Even {most}. More subjects would make it surer; wider bounds may reach it.",
        ]
    else:
        answer = [
            f"A balanced accuracy of {target} cannot be reached within these bounds.",
            f"Even {most}.",
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
    """The open settings of a design, as part of a sentence."""
    return ", ".join(
        f"{value} {setting_name(path)}"
        if isinstance(value, int)
        else f"{setting_name(path)} {value:.3g}"
        for path, value in values.items()
    )
