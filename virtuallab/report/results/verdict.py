"""The verdict in plain sentences. They say no more than the numbers do."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

from virtuallab.report.results.analyses import Analysis, Result
from virtuallab.report.results.controls import Control
from virtuallab.report.results.estimate import Estimate
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

    The verdict is that of the primary result. Where there are several and none is named primary,
    it is that of the whole table, corrected for how many there are. A control that should be at
    chance and is not takes the verdict away; one that the recording should beat or survive, and
    does not, limits it. Where controls were judged one by one, a few fail by luck, and how many is
    said.
    """
    shown = analysis.shown
    unasked = tuple(f"{probe}: not asked, for {why}." for probe, why in analysis.not_asked.items())
    if shown is None:
        reasons = set(analysis.not_asked.values())
        if len(reasons) == 1:
            return Verdict(
                Finding.NOTHING, f"“{analysis.name}” was not asked: {reasons.pop()}.", ()
            )
        return Verdict(
            Finding.NOTHING, "No accuracy could be measured.", (*unasked, *analysis.warnings)
        )
    if analysis.primary is not None:
        finding, sentence = _of_one(analysis.primary, analysis)
    elif analysis.named:
        finding, sentence = Finding.NOTHING, _missing(analysis)
    else:
        finding, sentence = _of_many(analysis)
    checks = _controls(analysis) if analysis.scheme == "strict" else _optimism(shown)
    remarks = [*_others(analysis), *checks, *_limits(analysis)]
    return Verdict(finding, sentence, (*remarks, *unasked, *analysis.warnings))


def _of_one(result: Result, analysis: Analysis) -> tuple[Finding, str]:
    measured = _measured(result.accuracy, analysis.confidence)
    chance = f"where chance is {result.chance:.2f}"
    if not result.identifies:
        return Finding.NOT_IDENTIFIED, (
            f"The probe “{result.probe}” does not identify the rule: the balanced accuracy is "
            f"{measured}, {chance} ({_seen(result)}{_as_named(analysis)})."
        )
    if result.leaks:
        return Finding.CONTROL_FAILED, (
            f"The accuracy of {measured} cannot be trusted ({_seen(result)} of “{result.probe}”"
            f"{_as_named(analysis)}): {_leaking(result)}"
        )
    limits = "; ".join(_limit(limit) for limit in result.limits)
    return Finding.IDENTIFIED, (
        f"The probe “{result.probe}” identifies the rule with a balanced accuracy of {measured}, "
        f"{chance} ({_seen(result)}{_as_named(analysis)}){_passed(result, analysis)}."
        f"{' But ' + limits + '.' if limits else ''}"
    )


def _as_named(analysis: Analysis) -> str:
    return ", the primary result that the protocol names" if analysis.named else ""


def _of_many(analysis: Analysis) -> tuple[Finding, str]:
    """Judge a table of several results of which none is named primary."""
    best, count = analysis.best, len(analysis.results)
    assert best is not None
    values = [result.accuracy.value for result in analysis.results]
    table = (
        f"No primary result was named, so all {count} results are the answer: balanced accuracies "
        f"from {min(values):.2f} to {max(values):.2f}, where chance is {analysis.chance:.2f}."
    )
    above = [r for r in analysis.results if r.identifies_among_all]
    if not above:
        return Finding.NOT_IDENTIFIED, (
            f"{table} Corrected for {count} comparisons, none lies above chance: the recordings do "
            "not identify the rule."
        )
    highest = (
        f"The best of {count} is {_observable(best)} of “{best.probe}” by "
        f"{pretty(best.classifier)}: {_corrected(best, analysis)}"
    )
    if best.leaks:
        return Finding.CONTROL_FAILED, (
            f"{table} {highest}. It cannot be trusted: {_leaking(best)}"
        )
    limits = "; ".join(_limit(limit) for limit in best.limits)
    return Finding.IDENTIFIED, (
        f"{table} Corrected for {count} comparisons, {len(above)} of them identify the rule. "
        f"{highest}{_passed(best, analysis)}.{' But ' + limits + '.' if limits else ''}"
    )


def _missing(analysis: Analysis) -> str:
    named = ", ".join(f"{key} {pretty(name)}" for key, name in analysis.named.items())
    return (
        f"The primary result that the protocol names ({named}) was not measured; the "
        f"{len(analysis.results)} others are in the table."
    )


def _corrected(result: Result, analysis: Analysis) -> str:
    """Write an accuracy that was chosen among many, with the interval that allows for that."""
    together, count = result.simultaneous, len(analysis.results)
    if together is None or not math.isfinite(together.low):
        return f"{result.accuracy.value:.2f}"
    share = f"{100 * analysis.confidence:g}\u00a0%"
    return (
        f"{together.value:.2f} ({share} interval, corrected for {count} comparisons, "
        f"{together.low:.2f} to {together.high:.2f})"
    )


def _leaking(result: Result) -> str:
    failed = " and ".join(
        f"the control “{pretty(leak.name)}” reaches {leak.accuracy}," for leak in result.leaks
    )
    causes = "; ".join(leak.meaning for leak in result.leaks if leak.meaning)
    return (
        f"{failed} above chance ({result.chance:.2f}), where it should be at chance. "
        f"{_sentence(causes) if causes else 'Find out why before using it.'}"
    )


def _passed(result: Result, analysis: Analysis) -> str:
    if analysis.scheme != "strict":
        return ", with layers as samples"
    asked = any(control.asked and control.kind == "chance" for control in result.controls.values())
    return "; its controls do not exceed chance" if asked else "; no control was run"


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
    """How the other results compare with the one that is shown."""
    remarks = []
    first, *rest = analysis.of_probes
    if rest:
        listed = ", ".join(f"{r.probe} {r.accuracy}" for r in (first, *rest))
        remarks.append(f"Balanced accuracy {analysis.choice}: {listed}.")
    best = analysis.best
    if analysis.named and best is not None and best != analysis.primary:
        remarks.append(
            f"The best of all {len(analysis.results)} results is {_observable(best)} of "
            f"“{best.probe}” by {pretty(best.classifier)}: {_corrected(best, analysis)}."
        )
    return remarks


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
        return "each judged more severely, for their number"
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
