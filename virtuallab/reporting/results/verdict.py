"""Verdict of an analysis in sentences."""

from __future__ import annotations

import enum
import math
from collections import Counter
from dataclasses import dataclass
from typing import Final

from virtuallab.reporting.results.controls import ControlOutcome
from virtuallab.reporting.results.decoding import AnalysisResult, DecodingResult
from virtuallab.reporting.style import pretty
from virtuallab.text import count_noun, listed, part_of, percent

_MORE: Final = "More subjects would narrow the interval, which includes chance."


class Conclusion(enum.Enum):
    """Kinds of verdict."""

    IDENTIFIED = "identified"
    NOT_IDENTIFIED = "not identified"
    CONTROL_FAILED = "control failed"
    NOTHING = "nothing measured"


@dataclass(frozen=True)
class Verdict:
    """Conclusion of an analysis, its sentence and remarks."""

    conclusion: Conclusion
    sentence: str
    remarks: tuple[str, ...]


def judge(analysis: AnalysisResult) -> Verdict:
    """Verdict of an analysis.

    It is that of the primary result. If there are several results and none is named primary, it is
    that of all results, corrected for their number. If a control that must be at chance fails, the
    accuracy cannot be trusted; other controls that fail limit its interpretation.
    """
    shown = analysis.shown
    missing = tuple(
        f"{probe} is not decoded: {why}." for probe, why in analysis.not_decoded.items()
    )
    if shown is None:
        reasons = set(analysis.not_decoded.values())
        if len(reasons) == 1:
            sentence = f"The analysis “{analysis.name}” is not decoded: {reasons.pop()}."
            return Verdict(Conclusion.NOTHING, sentence, ())
        remarks = (*missing, *analysis.warnings)
        return Verdict(Conclusion.NOTHING, "No accuracy could be measured.", remarks)
    if analysis.primary is not None:
        conclusion, sentence = _of_one(analysis.primary, analysis)
    elif analysis.named:
        conclusion, sentence = Conclusion.NOTHING, _not_measured(analysis)
    else:
        conclusion, sentence = _of_many(analysis)
    checks = _controls(analysis) if analysis.scheme == "strict" else _optimism(shown)
    remarks = (*_others(analysis), *checks, *_limits(analysis), *missing, *analysis.warnings)
    return Verdict(conclusion, sentence, remarks)


def _of_one(result: DecodingResult, analysis: AnalysisResult) -> tuple[Conclusion, str]:
    accuracy = (
        f"{_accuracy(result, analysis)} among {count_noun(analysis.n_rules, 'rule')}, where chance "
        f"is {result.chance:.2f}"
    )
    named = ", the primary result named in the protocol" if analysis.named else ""
    source = f"(from {pretty(result.observable)} by {pretty(result.classifier)}{named})"
    if not result.identifies:
        if result.accuracy.is_at_most(result.chance):
            does, more = "does not identify the rule", ""
        else:
            does, more = "is not shown to identify the rule", f" {_MORE}"
        return Conclusion.NOT_IDENTIFIED, (
            f"The probe “{result.probe}” {does}: its balanced accuracy is {accuracy} "
            f"{source}.{more}"
        )
    if result.leaks:
        return Conclusion.CONTROL_FAILED, (
            f"The balanced accuracy of the probe “{result.probe}” cannot be trusted: it is "
            f"{accuracy} {source}, but {_leaks(result)}"
        )
    return Conclusion.IDENTIFIED, (
        f"The probe “{result.probe}” identifies the rule with a balanced accuracy of {accuracy} "
        f"{source}{_passed(result, analysis)}.{_but(result)}"
    )


def _of_many(analysis: AnalysisResult) -> tuple[Conclusion, str]:
    """Conclusion from several results of which none is named primary."""
    best, count = analysis.best, len(analysis.results)
    assert best is not None
    values = [result.accuracy.value for result in analysis.results]
    table = (
        f"The protocol names no primary result, so the verdict is on all {count}: their balanced "
        f"accuracies are {min(values):.2f} to {max(values):.2f} among "
        f"{count_noun(analysis.n_rules, 'rule')}, where chance is {analysis.chance:.2f}."
    )
    above = sum(result.identifies_among_all for result in analysis.results)
    if not above:
        found = [result.simultaneous or result.accuracy for result in analysis.results]
        none = all(each.is_at_most(analysis.chance) for each in found)
        do = "do not identify the rule." if none else f"are not shown to identify the rule. {_MORE}"
        return Conclusion.NOT_IDENTIFIED, (
            f"{table} Corrected for {count} comparisons, none is above chance: the recordings {do}"
        )
    highest = f"The best of {count} is {_name(best)}: {_corrected(best, analysis)}"
    if best.leaks:
        return Conclusion.CONTROL_FAILED, (
            f"{table} {highest}. It cannot be trusted: {_leaks(best)}"
        )
    return Conclusion.IDENTIFIED, (
        f"{table} Corrected for {count} comparisons, {_share(above, count)} the rule. "
        f"{highest}{_passed(best, analysis)}.{_but(best)}"
    )


def _share(above: int, count: int) -> str:
    if above == count:
        return "all identify"
    return f"{above} of {count} {'identifies' if above == 1 else 'identify'}"


def _not_measured(analysis: AnalysisResult) -> str:
    named = ", ".join(f"{key} {pretty(name)}" for key, name in analysis.named.items())
    return (
        f"The primary result named in the protocol ({named}) was not measured. The table lists the "
        f"{count_noun(len(analysis.results), 'other result')}."
    )


def _accuracy(result: DecodingResult, analysis: AnalysisResult) -> str:
    found = result.accuracy
    if not math.isfinite(found.low):
        return f"{found.value:.2f}"
    interval = f"{percent(analysis.confidence)} interval {found.low:.2f} to {found.high:.2f}"
    return f"{found.value:.2f} ({interval})"


def _corrected(result: DecodingResult, analysis: AnalysisResult) -> str:
    """Accuracy with an interval corrected for its choice among all results."""
    found, count = result.simultaneous, len(analysis.results)
    if found is None or not math.isfinite(found.low):
        return f"{result.accuracy.value:.2f}"
    return (
        f"{found.value:.2f} ({percent(analysis.confidence)} interval, corrected for {count} "
        f"comparisons, {found.low:.2f} to {found.high:.2f})"
    )


def _leaks(result: DecodingResult) -> str:
    names = listed(f"“{pretty(leak.name)}” ({leak.accuracy})" for leak in result.leaks)
    one = len(result.leaks) == 1
    failed = f"the control {names} is" if one else f"the controls {names} are"
    causes = "; ".join(leak.meaning for leak in result.leaks if leak.meaning)
    cause = _sentence(causes) if causes else "Find the cause before using this result."
    must = "it must" if one else "they must"
    return f"{failed} above chance, although {must} be at chance. {cause}"


def _passed(result: DecodingResult, analysis: AnalysisResult) -> str:
    if analysis.scheme != "strict":
        return ", with layers as samples"
    controls = [c for c in result.controls.values() if c.evaluated and c.kind == "chance"]
    if not controls:
        return "; no control was evaluated"
    # Intervals in the table beside this sentence are not corrected.
    corrected = any(control.passed_above(result.chance) for control in controls)
    together = " after correction for their number" if corrected else ""
    return f"; no control that must be at chance exceeds it{together}"


def _but(result: DecodingResult) -> str:
    limits = "; ".join(map(_limit, result.limits))
    return f" However, {limits}." if limits else ""


def _limit(control: ControlOutcome) -> str:
    tested = ""
    if control.kind == "survive" and control.n_subjects is not None:
        tested = f", {count_noun(control.n_subjects, 'subject')}"
    return f"{control.meaning} ({pretty(control.name)}: {control.accuracy}{tested})"


def _name(result: DecodingResult) -> str:
    return f"{pretty(result.observable)} of “{result.probe}” by {pretty(result.classifier)}"


def _others(analysis: AnalysisResult) -> list[str]:
    """Remarks on results other than the one that is shown."""
    remarks = []
    if len(analysis.of_probes) > 1:
        values = ", ".join(f"{r.probe} {r.accuracy}" for r in analysis.of_probes)
        remarks.append(f"Balanced accuracy {analysis.choice}: {values}.")
    best = analysis.best
    if analysis.named and best is not None and best != analysis.primary:
        remarks.append(
            f"The best of all {len(analysis.results)} results is {_name(best)}: "
            f"{_corrected(best, analysis)}."
        )
    return remarks


def _controls(analysis: AnalysisResult) -> list[str]:
    """Remark on the number of failed controls that must be at chance."""
    count = len(analysis.chance_controls)
    if not count:
        return ["No control that must be at chance was evaluated, so a leak would go unnoticed."]
    failed = [(result, leak) for result in analysis.results for leak in result.leaks]
    if failed:
        first = ", ".join(
            f"{pretty(c.name)} of {r.probe}, {pretty(r.observable)}" for r, c in failed[:3]
        )
        more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
        which = part_of(len(failed), count, "control")
        fail = "fails" if len(failed) == 1 else "fail"
        known = f"that must be at chance {fail} (corrected for their number): {first}{more}"
        return [_sentence(f"{which} {known}")]
    above = sum(control.passed_above(analysis.chance) for control in analysis.chance_controls)
    none = "The control" if count == 1 else f"None of {count_noun(count, 'control')}"
    no = " not" if count == 1 else ""
    if above:
        return [
            f"None of {count_noun(count, 'control')} that must be at chance fails: {above} would "
            "be above chance if tested alone, no more than expected among so many."
        ]
    return [f"{none} that must be at chance is{no} above chance."]


def _limits(analysis: AnalysisResult) -> list[str]:
    """Remarks on controls of other kinds that did not pass, for results above chance only."""
    above = [result for result in analysis.results if result.identifies]
    remarks = []
    for name in analysis.control_names:
        found = [r.controls[name] for r in above if name in r.controls]
        found = [control for control in found if control.evaluated]
        meanings = Counter(control.meaning for control in found if control.is_limit)
        for meaning, count in meanings.items():
            which = part_of(count, len(found), "result")
            remarks.append(f"In {which} above chance, {meaning}.")
    return remarks


def _optimism(best: DecodingResult) -> list[str]:
    """Remark on the bias of the published scheme, which splits the layers of a subject."""
    bias = (
        "In this scheme layers of one subject are in both training and test sets, which biases "
        "accuracy upwards; compare it with published numbers only"
    )
    if best.whole_subjects is None:
        return [f"{bias}."]
    return [
        f"{bias}. With all layers of a subject kept together, the accuracy is "
        f"{best.whole_subjects:.2f}."
    ]


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
