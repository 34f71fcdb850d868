"""The verdict in plain sentences. They say no more than the numbers do."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

from virtuallab.report.results import Analysis, Estimate, Result
from virtuallab.report.style import pretty


class Finding(enum.Enum):
    """What an analysis came to."""

    IDENTIFIED = "identified"
    NOT_IDENTIFIED = "not identified"
    CONTROL_FAILED = "control failed"
    NOTHING = "nothing measured"


@dataclass(frozen=True)
class Verdict:
    """What an analysis found, in one sentence, and what must be said with it."""

    finding: Finding
    sentence: str
    remarks: tuple[str, ...]


_CAUSES = {
    "visit_0": (
        "something that was there before learning began tells the rules apart: their initial "
        "weights, or their settings"
    ),
    "permuted_labels": "the validation itself gives the answer away",
}


def judge(analysis: Analysis) -> Verdict:
    """Say what an analysis found.

    The best of several comparisons is named as that. A control counts as failed where its whole
    interval lies above chance; with many controls a few do so by luck, and how many is said.
    """
    best = analysis.best
    if best is None:
        return Verdict(Finding.NOTHING, "No accuracy could be measured.", analysis.warnings)
    finding, sentence = _finding(best, analysis)
    checks = _controls(analysis) if analysis.scheme == "strict" else _optimism(best)
    remarks = [*_others(analysis), *checks]
    return Verdict(finding, sentence, (*remarks, *analysis.warnings))


def _finding(best: Result, analysis: Analysis) -> tuple[Finding, str]:
    measured = _measured(best.accuracy, analysis.confidence)
    chance = f"where chance is {best.chance:.2f}"
    if not any(result.identifies for result in analysis.results):
        count = len(analysis.results)
        tried = "The recording does not" if count == 1 else f"None of the {count} comparisons"
        verb = "identify" if count == 1 else "identifies"
        return Finding.NOT_IDENTIFIED, (
            f"{tried} {verb} the rule: the highest balanced accuracy is {measured}, {chance}."
        )
    if best.failed_controls:
        failed = " and ".join(_control(best, name) for name in best.failed_controls)
        causes = "; ".join(_CAUSES[n] for n in best.failed_controls if n in _CAUSES)
        return Finding.CONTROL_FAILED, (
            f"The accuracy of {measured} cannot be trusted: {failed} above chance "
            f"({best.chance:.2f}), where it should be at chance. "
            f"{_sentence(causes) if causes else 'Find out why before using it.'}"
        )
    count = len(analysis.results)
    several = f", the best of {count} comparisons" if count > 1 else ""
    passed = "; its controls do not exceed chance" if best.controls else "; no control was run"
    passed = passed if analysis.scheme == "strict" else ", with layers as samples"
    return Finding.IDENTIFIED, (
        f"The probe “{best.probe}” identifies the rule with a balanced accuracy of {measured}, "
        f"{chance} ({_seen(best)}{several}){passed}."
    )


def _seen(result: Result) -> str:
    return f"from {_observable(result)} by {pretty(result.classifier)}"


def _observable(result: Result) -> str:
    return "all observables" if result.observable == "all" else pretty(result.observable)


def _control(result: Result, name: str) -> str:
    return f"the control “{pretty(name)}” reaches {result.controls[name]},"


def _measured(estimate: Estimate, confidence: float) -> str:
    """Write a number with its interval in words."""
    if not math.isfinite(estimate.low):
        return f"{estimate.value:.2f}"
    share = f"{100 * confidence:g}\u00a0%"
    return f"{estimate.value:.2f} ({share} interval {estimate.low:.2f} to {estimate.high:.2f})"


def _others(analysis: Analysis) -> list[str]:
    """How the other probes compare, from the best to the worst."""
    first, *rest = analysis.best_of_probes
    if not rest:
        return []
    listed = ", ".join(f"{r.probe} {r.accuracy}" for r in (first, *rest))
    return [f"Best accuracy of each probe: {listed}."]


def _controls(analysis: Analysis) -> list[str]:
    counted = [(result, name) for result in analysis.results for name in result.controls]
    if not counted:
        return ["No negative control was run, so a leak would go unnoticed."]
    failed = [(r, n) for r in analysis.results for n in r.failed_controls]
    luck = len(counted) * (1 - analysis.confidence) / 2
    if not failed:
        return [f"None of the {len(counted)} negative controls lies above chance."]
    worst = ", ".join(f"{pretty(n)} of {r.probe}, {_observable(r)}" for r, n in failed[:3])
    more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
    expected = f"{luck:.1f}" if luck >= 0.05 else "fewer than 0.1"
    return [
        f"{len(failed)} of {len(counted)} negative controls lie above chance "
        f"(by luck alone about {expected} would): {worst}{more}."
    ]


def _optimism(best: Result) -> list[str]:
    """Say what the published scheme adds by splitting a subject's layers between two sides."""
    flattery = (
        "Layers of one subject lie on both sides of each split here, which flatters; "
        "read it beside the literature, not as a verdict"
    )
    if best.whole_subjects is None:
        return [f"{flattery}."]
    return [
        f"{flattery}: with each subject's layers kept together, the same accuracy is "
        f"{best.whole_subjects:.2f}."
    ]


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
