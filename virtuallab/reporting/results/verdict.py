"""The verdict of an analysis in plain sentences. They say no more than the numbers do."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

from virtuallab.reporting.results.controls import ControlOutcome
from virtuallab.reporting.results.decoding import AnalysisResult, DecodingResult
from virtuallab.reporting.results.estimate import Estimate
from virtuallab.reporting.style import pretty
from virtuallab.text import percent


class Conclusion(enum.Enum):
    """The kinds of verdict."""

    IDENTIFIED = "identified"
    NOT_IDENTIFIED = "not identified"
    CONTROL_FAILED = "control failed"
    NOTHING = "nothing measured"


@dataclass(frozen=True)
class Verdict:
    """The conclusion of an analysis in one sentence, and remarks that belong to it."""

    conclusion: Conclusion
    sentence: str
    remarks: tuple[str, ...]


def judge(analysis: AnalysisResult) -> Verdict:
    """The verdict of an analysis.

    It is that of the primary result. If there are several results and none is named primary, it is
    that of the whole table, corrected for their number. If a control that must be at chance fails,
    the accuracy cannot be trusted; other controls that fail limit what it means.

    Parameters
    ----------
    analysis : AnalysisResult
    """
    shown = analysis.shown
    unasked = tuple(f"{probe}: not asked, for {why}." for probe, why in analysis.not_asked.items())
    if shown is None:
        reasons = set(analysis.not_asked.values())
        if len(reasons) == 1:
            return Verdict(
                Conclusion.NOTHING, f"“{analysis.name}” was not asked: {reasons.pop()}.", ()
            )
        return Verdict(
            Conclusion.NOTHING, "No accuracy could be measured.", (*unasked, *analysis.warnings)
        )
    if analysis.primary is not None:
        conclusion, sentence = _of_one(analysis.primary, analysis)
    elif analysis.named:
        conclusion, sentence = Conclusion.NOTHING, _missing(analysis)
    else:
        conclusion, sentence = _of_many(analysis)
    checks = _controls(analysis) if analysis.scheme == "strict" else _optimism(shown)
    remarks = [*_others(analysis), *checks, *_limits(analysis)]
    return Verdict(conclusion, sentence, (*remarks, *unasked, *analysis.warnings))


def _of_one(result: DecodingResult, analysis: AnalysisResult) -> tuple[Conclusion, str]:
    measured = _measured(result.accuracy, analysis.confidence)
    chance = f"where chance is {result.chance:.2f}"
    if not result.identifies:
        return Conclusion.NOT_IDENTIFIED, (
            f"The probe “{result.probe}” does not identify the rule: the balanced accuracy is "
            f"{measured}, {chance} ({_seen(result)}{_as_named(analysis)})."
        )
    if result.leaks:
        return Conclusion.CONTROL_FAILED, (
            f"The accuracy of {measured} cannot be trusted ({_seen(result)} of “{result.probe}”"
            f"{_as_named(analysis)}): {_leaking(result)}"
        )
    limits = "; ".join(_limit(limit) for limit in result.limits)
    return Conclusion.IDENTIFIED, (
        f"The probe “{result.probe}” identifies the rule with a balanced accuracy of {measured}, "
        f"{chance} ({_seen(result)}{_as_named(analysis)}){_passed(result, analysis)}."
        f"{' But ' + limits + '.' if limits else ''}"
    )


def _as_named(analysis: AnalysisResult) -> str:
    return ", the primary result that the protocol names" if analysis.named else ""


def _of_many(analysis: AnalysisResult) -> tuple[Conclusion, str]:
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
        return Conclusion.NOT_IDENTIFIED, (
            f"{table} Corrected for {count} comparisons, none lies above chance: the recordings do "
            "not identify the rule."
        )
    highest = (
        f"The best of {count} is {_observable(best)} of “{best.probe}” by "
        f"{pretty(best.classifier)}: {_corrected(best, analysis)}"
    )
    if best.leaks:
        return Conclusion.CONTROL_FAILED, (
            f"{table} {highest}. It cannot be trusted: {_leaking(best)}"
        )
    limits = "; ".join(_limit(limit) for limit in best.limits)
    return Conclusion.IDENTIFIED, (
        f"{table} Corrected for {count} comparisons, {len(above)} of them identify the rule. "
        f"{highest}{_passed(best, analysis)}.{' But ' + limits + '.' if limits else ''}"
    )


def _missing(analysis: AnalysisResult) -> str:
    named = ", ".join(f"{key} {pretty(name)}" for key, name in analysis.named.items())
    return (
        f"The primary result that the protocol names ({named}) was not measured; the "
        f"{len(analysis.results)} others are in the table."
    )


def _corrected(result: DecodingResult, analysis: AnalysisResult) -> str:
    """Write an accuracy that was chosen among many, with the interval that allows for that."""
    together, count = result.simultaneous, len(analysis.results)
    if together is None or not math.isfinite(together.low):
        return f"{result.accuracy.value:.2f}"
    return (
        f"{together.value:.2f} ({percent(analysis.confidence)} interval, corrected for {count} "
        f"comparisons, {together.low:.2f} to {together.high:.2f})"
    )


def _leaking(result: DecodingResult) -> str:
    failed = " and ".join(
        f"the control “{pretty(leak.name)}” reaches {leak.accuracy}," for leak in result.leaks
    )
    causes = "; ".join(leak.meaning for leak in result.leaks if leak.meaning)
    return (
        f"{failed} above chance ({result.chance:.2f}), where it should be at chance. "
        f"{_sentence(causes) if causes else 'Find out why before using it.'}"
    )


def _passed(result: DecodingResult, analysis: AnalysisResult) -> str:
    if analysis.scheme != "strict":
        return ", with layers as samples"
    controls = [c for c in result.controls.values() if c.asked and c.kind == "chance"]
    if not controls:
        return "; no control was run"
    # The table beside the sentence shows intervals that are not corrected.
    some_above = any(control.passed_above(result.chance) for control in controls)
    together = ", judged together," if some_above else ""
    return f"; its controls{together} do not exceed chance"


def _limit(control: ControlOutcome) -> str:
    of = f" of {control.n_subjects} subjects" if control.n_subjects is not None else ""
    return f"{control.meaning} ({control.accuracy}{of if control.kind == 'survive' else ''})"


def _seen(result: DecodingResult) -> str:
    return f"from {_observable(result)} by {pretty(result.classifier)}"


def _observable(result: DecodingResult) -> str:
    return "all observables" if result.observable == "all" else pretty(result.observable)


def _measured(estimate: Estimate, confidence: float) -> str:
    """Write a number with its interval in words."""
    if not math.isfinite(estimate.low):
        return f"{estimate.value:.2f}"
    bounds = f"{estimate.low:.2f} to {estimate.high:.2f}"
    return f"{estimate.value:.2f} ({percent(confidence)} interval {bounds})"


def _others(analysis: AnalysisResult) -> list[str]:
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


def _controls(analysis: AnalysisResult) -> list[str]:
    """How many of the controls that must be at chance are not."""
    count = len(analysis.chance_controls)
    if not count:
        return ["No negative control was run, so a leak would go unnoticed."]
    failed = [(result, leak) for result in analysis.results for leak in result.leaks]
    if failed:
        worst = ", ".join(f"{pretty(c.name)} of {r.probe}, {_observable(r)}" for r, c in failed[:3])
        more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
        return [
            f"{len(failed)} of {count} negative controls lie above chance "
            f"(each judged more severely, for their number): {worst}{more}."
        ]
    alone = sum(control.passed_above(analysis.chance) for control in analysis.chance_controls)
    if alone:
        return [
            f"None of the {count} negative controls fails: {alone} would lie above chance if "
            "judged alone, no more than luck gives among so many."
        ]
    return [f"None of the {count} negative controls lies above chance."]


def _limits(analysis: AnalysisResult) -> list[str]:
    """In how many results above chance the recording fails controls of the other kinds.

    An accuracy at chance means nothing that a control could limit.
    """
    above = [result for result in analysis.results if result.identifies]
    remarks = []
    for name in analysis.control_names:
        asked = [r.controls[name] for r in above if name in r.controls and r.controls[name].asked]
        failed = [control for control in asked if control.failed and control.kind != "chance"]
        if failed:
            remarks.append(
                f"In {len(failed)} of {len(asked)} results above chance {failed[0].meaning}."
            )
    return remarks


def _optimism(best: DecodingResult) -> list[str]:
    """How much higher the published scheme is because it splits the layers of a subject."""
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
