"""The verdict in plain sentences. They say no more than the numbers do."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

from virtuallab.report.control import Control
from virtuallab.report.estimate import Estimate
from virtuallab.report.results import Analysis, Result
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


def judge(analysis: Analysis) -> Verdict:
    """Say what an analysis found.

    The best of several comparisons is named as that. A control that should be at chance and is not
    takes the verdict away; one that the recording should beat or survive, and does not, limits it.
    Where controls were judged one by one, a few fail by luck, and how many is said.
    """
    best = analysis.best
    unasked = tuple(f"{probe}: not asked, for {why}." for probe, why in analysis.not_asked.items())
    if best is None:
        reasons = set(analysis.not_asked.values())
        if len(reasons) == 1:
            return Verdict(
                Finding.NOTHING, f"“{analysis.name}” was not asked: {reasons.pop()}.", ()
            )
        return Verdict(
            Finding.NOTHING, "No accuracy could be measured.", (*unasked, *analysis.warnings)
        )
    finding, sentence = _finding(best, analysis)
    checks = _controls(analysis) if analysis.scheme == "strict" else _optimism(best)
    remarks = [*_others(analysis), *checks, *_limits(analysis)]
    return Verdict(finding, sentence, (*remarks, *unasked, *analysis.warnings))


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
    if best.leaks:
        failed = " and ".join(
            f"the control “{pretty(leak.name)}” reaches {leak.accuracy}," for leak in best.leaks
        )
        causes = "; ".join(leak.meaning for leak in best.leaks if leak.meaning)
        return Finding.CONTROL_FAILED, (
            f"The accuracy of {measured} cannot be trusted: {failed} above chance "
            f"({best.chance:.2f}), where it should be at chance. "
            f"{_sentence(causes) if causes else 'Find out why before using it.'}"
        )
    count = len(analysis.results)
    several = f", the best of {count} comparisons" if count > 1 else ""
    asked = any(control.asked and control.kind == "chance" for control in best.controls.values())
    passed = "; its controls do not exceed chance" if asked else "; no control was run"
    passed = passed if analysis.scheme == "strict" else ", with layers as samples"
    limits = "; ".join(_limit(limit) for limit in best.limits)
    return Finding.IDENTIFIED, (
        f"The probe “{best.probe}” identifies the rule with a balanced accuracy of {measured}, "
        f"{chance} ({_seen(best)}{several}){passed}.{' But ' + limits + '.' if limits else ''}"
    )


def _limit(control: Control) -> str:
    of = f" of {control.n_subjects} subjects" if control.n_subjects is not None else ""
    return f"{control.meaning} ({control.accuracy}{of if control.kind == 'survive' else ''})"


def _seen(result: Result) -> str:
    return f"from {_observable(result)} by {pretty(result.classifier)}"


def _observable(result: Result) -> str:
    return "all observables" if result.observable == "all" else pretty(result.observable)


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
    """How many of those that should be at chance are not."""
    counted = [c for r in analysis.results for c in r.controls.values() if c.kind == "chance"]
    count = sum(control.asked for control in counted)
    if not count:
        return ["No negative control was run, so a leak would go unnoticed."]
    failed = [(result, leak) for result in analysis.results for leak in result.leaks]
    if not failed:
        return [f"None of the {count} negative controls lies above chance."]
    worst = ", ".join(f"{pretty(c.name)} of {r.probe}, {_observable(r)}" for r, c in failed[:3])
    more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
    return [
        f"{len(failed)} of {count} negative controls lie above chance "
        f"({_by_luck(count, analysis)}): {worst}{more}."
    ]


def _by_luck(count: int, analysis: Analysis) -> str:
    if analysis.corrected:
        return "each judged the more severely the more of them were asked"
    luck = count * (1 - analysis.confidence) / 2
    return f"by luck alone about {luck:.1f} would" if luck >= 0.05 else "by luck fewer than 0.1"


def _limits(analysis: Analysis) -> list[str]:
    """In how many results the recording does not beat or survive what it should."""
    remarks = []
    for name in analysis.control_names:
        asked = [r.controls[name] for r in analysis.results if name in r.controls]
        asked = [control for control in asked if control.asked and control.kind != "chance"]
        failed = [control for control in asked if control.failed]
        if failed:
            remarks.append(f"In {len(failed)} of {len(asked)} results {failed[0].meaning}.")
    return remarks


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
