"""Identification of one recording for the terminal: a table and sentences."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Final

import numpy as np
import xarray as xr
from rich.console import Group, RenderableType

from virtuallab.console import TerminalTable, plain, terminal_table
from virtuallab.decoder.reference_choices import (
    ALL_RULES,
    FEW,
    FEW_RULES,
    NO_REFERENCES,
    OWN_RULE,
)
from virtuallab.reporting.style import pretty
from virtuallab.text import count_noun, listed, percent, printable
from virtuallab.vocabulary import NO_LEARNING, RULE

# Shares of the decoder's own recordings below which a recording is called novel or distant.
_NOVEL: Final = 0.05
_DISTANT: Final = 0.01
_UNCHANGED: Final = 0.05  # p-value above which a recording is not shown to change
_LIKELY: Final = 0.5  # probability of no learning above which it is the verdict
_WIDTH: Final = 40  # characters of the picture of the distance
# Choices of references, as ends of a sentence.
_REFERENCES: Final = {
    FEW_RULES: f"with {FEW} of all rules",
    ALL_RULES: "with half of the kind's subjects",
    OWN_RULE: "with references that share the rule to be identified",
}
_AT_CHANCE: Final = (
    "The decoder is not shown to be more accurate than guessing, so its probabilities of rules are "
    "no evidence."
)


def identification_summary(found: xr.Dataset) -> RenderableType:
    """The verdict at each level, the coarse ones first, the probability of each answer and remarks.

    Parameters
    ----------
    found : xr.Dataset
        Result of :func:`virtuallab.lab.identification.identify.identify`.

    Returns
    -------
    rich renderable
        The table is dimmed if the recording is outside the range of the decoder, or the decoder is
        not shown to be more accurate than guessing.
    """
    return Group(
        *(plain(line) for line in coarse_verdicts(found)),
        plain(verdict(found), "bold"),
        plain(distance(found)),
        _table(found),
        *(plain(remark) for remark in remarks(found)),
    )


def verdict(found: xr.Dataset) -> str:
    """The answer, or the reason why there is none, in one or two sentences."""
    rules = _rules(found)
    first = str(rules[RULE].values[0])
    likely = f"{pretty(first)} (probability {float(rules['probability'][0]):.2f})"
    inside = [str(rule) for rule in rules[RULE].values[rules["in_set"].values]]
    if is_outside(found):
        return (
            "Outside the range of this decoder: the recording differs more from the training "
            f"recordings than {percent(1 - _DISTANT)} of these do. No rule is identified."
        )
    none_possible = NO_LEARNING in found[RULE] and bool(_none(found)["in_set"])
    if none_possible and not inside and float(_none(found)["probability"]) >= _LIKELY:
        return _nothing_learned(found)
    if _is_novel(found):
        share = f"{100 * float(found['familiar']):.1f} %"
        novel = f"None of these rules: only {share} of the recordings of known rules are as novel."
        return f"{novel} No learning cannot be excluded." if none_possible else novel
    if none_possible:
        similar = _AT_CHANCE if _is_at_chance(found) else f"Of the rules, most similar to {likely}."
        return (
            "Cannot tell whether anything was learned: no learning cannot be excluded. " + similar
        )
    if _is_at_chance(found):
        return f"Cannot tell. {_AT_CHANCE}"
    if not inside:
        return (
            f"No rule is identified: none is in the {_coverage(found)} prediction set. Most "
            f"similar to {likely}."
        )
    if len(inside) == rules.sizes[RULE]:
        return (
            f"Cannot tell: all {len(inside)} rules are in the {_coverage(found)} prediction set. "
            f"Most similar to {likely}."
        )
    if inside == [first]:
        return (
            f"The rule is {likely}, if it is one of these {rules.sizes[RULE]}: no other is in the "
            f"{_coverage(found)} prediction set."
        )
    if first not in inside:
        others = listed([pretty(rule) for rule in inside])
        return f"{others} cannot be excluded. Most similar to {likely}, which is excluded."
    rest = [pretty(rule) for rule in inside if rule != first]
    return f"Most similar to {likely}; {listed(rest)} cannot be excluded."


def coarse_verdicts(found: xr.Dataset) -> Iterator[str]:
    """Yield the answer to each coarser question.

    There is none if the recording is outside the range or novel, or if no rule is in the prediction
    set.
    """
    if is_outside(found) or _is_novel(found) or not _rules(found)["in_set"].any():
        return
    for variable in found.data_vars.values():
        if "question" not in variable.attrs:
            continue
        [name] = variable.dims
        inside = found[f"{name}_in_set"].to_numpy()
        order = np.argsort(-variable.to_numpy(), kind="stable")
        groups = [str(variable[name].values[place]) for place in order]
        answers = [str(variable[name].values[place]) for place in order if inside[place]]
        likely = f"{pretty(groups[0])} (probability {float(variable[order[0]]):.2f})"
        count = sum(group != NO_LEARNING for group in groups)
        is_accurate = variable.attrs["interval"][0] > 1 / count
        if answers == groups[:1] and is_accurate:
            said = f"{likely}; no other is in the {_coverage(found)} prediction set."
        elif is_accurate and groups[0] in answers and len(answers) < len(groups):
            rest = [pretty(group) for group in answers if group != groups[0]]
            said = f"most similar to {likely}; {listed(rest)} cannot be excluded."
        elif is_accurate:
            said = f"cannot tell; most similar to {likely}."
        else:
            said = f"cannot tell: {_AT_CHANCE[0].lower()}{_AT_CHANCE[1:]}"
        yield f"{variable.attrs['question']} {said[0].upper()}{said[1:]}"


def is_outside(found: xr.Dataset) -> bool:
    """True if the recording is farther from the training recordings than almost all of these."""
    return float(found["typical"]) < _DISTANT


def distance(found: xr.Dataset) -> str:
    """Distance of the recording from the training recordings: a percentile and a picture."""
    nearer = 1 - float(found["typical"])
    place = min(round(nearer * _WIDTH), _WIDTH - 1)
    line = "".join("x" if each == place else "-" for each in range(_WIDTH))
    return (
        f"Distance from the training recordings: percentile {100 * nearer:.0f} of theirs\n"
        f"  nearest |{line}| farthest"
    )


def remarks(found: xr.Dataset) -> Iterator[str]:
    """Yield the accuracy of the decoder, and differences from its training recordings."""
    attrs = found.attrs
    low, high = attrs["interval"]
    count = _rules(found).sizes[RULE]
    yield (
        f"The decoder ({attrs['classifier']}, trained on "
        f"{count_noun(int(attrs['n_subjects']), 'subject')} of {attrs['title']}) has a balanced "
        f"accuracy among rules of {attrs['accuracy']:.2f} [{low:.2f}, {high:.2f}] on subjects not "
        f"used for training; chance among {count_noun(count, 'rule')} is {1 / count:.2f}. Folds "
        "are drawn anew, so the accuracy that run reports for the same recordings may differ."
    )
    yield _on_another_kind(found)
    if attrs["references"]:
        references = count_noun(int(attrs["references"]), "reference")
        yield (
            f"Features are read relative to the centre of {references} of the recording's kind. "
            "References of one unknown rule remove the signal: they should be simulated twins "
            "under many rules, or recordings of known rules."
        )
    if not _is_at_chance(found):
        yield _calibrated(found)
    needed = ceil(1 / (1 - attrs["coverage"]) - 1e-9)
    if attrs["fewest"] + 1 < needed:
        yield (
            f"The rarest rule has {count_noun(int(attrs['fewest']), 'subject')}: a "
            f"{_coverage(found)} prediction set can exclude a rule with "
            f"{count_noun(needed - 1, 'subject')} or more."
        )
    if attrs["excluded"]:
        yield _excluded(attrs["excluded"])
    if not attrs["others"]:
        yield (
            "No out-of-set rules were given (--others), so an unknown rule is forced into one of "
            "these classes."
        )
    if attrs["notes"]:
        yield "Notes on the recording:"
        yield from (f"  {printable(note)}" for note in attrs["notes"])
    if attrs["differences"]:
        yield "Differences from the training recordings:"
        yield from (f"  {difference}" for difference in attrs["differences"])


def _rules(found: xr.Dataset) -> xr.Dataset:
    """The rules without the answer that nothing was learned, the most probable first."""
    rules = found.isel({RULE: np.flatnonzero(found[RULE].values != NO_LEARNING)})
    return rules.isel({RULE: np.argsort(-rules["probability"].values, kind="stable")})


def _is_novel(found: xr.Dataset) -> bool:
    """True if a decoder with out-of-set rules finds that fewer known recordings are as novel."""
    return bool(found.attrs["others"]) and float(found["familiar"]) < _NOVEL


def _is_at_chance(found: xr.Dataset) -> bool:
    """True if the interval of the decoder's accuracy does not exclude chance."""
    return bool(found.attrs["interval"][0] <= 1 / _rules(found).sizes[RULE])


def _none(found: xr.Dataset) -> xr.Dataset:
    """The answer that nothing was learned."""
    return found.sel({RULE: NO_LEARNING})


def _nothing_learned(found: xr.Dataset) -> str:
    probability = f"{float(_none(found)['probability']):.2f}"
    none = f"No learning (probability {probability}): no rule is in the prediction set"
    if not np.isfinite(found["changed"]):
        return f"{none}. Whether the recording changed beyond its noise was not measured."
    if float(found["changed"]) > _UNCHANGED:
        return f"{none}, and the recording is not shown to change beyond its noise."
    return f"{none}. The recording changes, but not as in subjects that learned."


def _calibrated(found: xr.Dataset) -> str:
    kinds, share = int(found.attrs["kinds"]), percent(found.attrs["measured_coverage"], 0)
    if kinds > 1:
        return (
            "Probabilities and prediction sets of rules are calibrated on "
            f"{kinds} kinds of networks (architecture and task), each held out of training; the "
            f"{_coverage(found)} sets contain the true rule in {share} of subjects. No learning is "
            "calibrated within these kinds."
        )
    return (
        "Probabilities and prediction sets hold for the kinds of networks that were trained, and "
        f"may be too certain for others; the {_coverage(found)} sets contain the true rule in "
        f"{share} of subjects held out."
    )


def _on_another_kind(found: xr.Dataset) -> str:
    """Accuracy on kinds that were held out of training, without references and with some."""
    names, accuracies = found.attrs["kind_names"], found.attrs["held_out_kinds"]
    if len(names) == 1:
        return "The training subjects are of one kind; the accuracy on another kind is unknown."
    if not accuracies:
        return (
            "The accuracy on a kind that is not in training is unknown: without one of the "
            f"{len(names)} kinds, too few subjects of some rule are left to train on."
        )
    said = {
        choice: f"{value:.2f} [{low:.2f}, {high:.2f}]"
        for choice, (value, low, high) in accuracies.items()
    }
    alone = (
        f"On a kind that is not in training (each of {len(names)} kinds held out in turn), the "
        f"balanced accuracy is {said[NO_REFERENCES]} without references"
    )
    known = [f"{said[choice]} {words}" for choice, words in _REFERENCES.items() if choice in said]
    if not known:
        return f"{alone}; with references (--reference), three kinds or more would show it."
    return f"{alone}; with references of that kind (--reference) it is {listed(known)}."


def _excluded(shares: dict[str, float]) -> str:
    nulls = {kind: share for kind, share in shares.items() if kind != "learning"}
    worst = max(nulls, key=lambda kind: nulls[kind])
    mean = float(np.mean(list(nulls.values())))
    return (
        f"No learning is excluded in {percent(shares['learning'], 0)} of subjects that learned, "
        f"and in {percent(mean, 0)} of recordings of null models that were not in training, at "
        f"most {percent(nulls[worst], 0)} ({pretty(worst)})."
    )


def _table(found: xr.Dataset) -> TerminalTable:
    is_at_chance = _is_at_chance(found)
    caption = (
        f"The {_coverage(found)} prediction set lists the answers that cannot be excluded. No "
        "learning has the level of 5 %."
    )
    table = terminal_table(
        title=f"Probability of each answer, from {pretty(found.attrs['observable'])}",
        caption=f"{caption} {_AT_CHANCE}" if is_at_chance else caption,
    )
    inside = f"in {_coverage(found)} prediction set"
    for column in ("answer", "probability", inside):
        table.add_column(column, overflow="fold")
    style = "dim" if is_outside(found) or is_at_chance else None
    for place in np.argsort(-found["probability"].values, kind="stable"):
        one = found.isel({RULE: int(place)})
        table.add_row(
            pretty(str(one[RULE].values)),
            f"{float(one['probability']):.2f}",
            "yes" if bool(one["in_set"]) else "no",
            style=style,
        )
    return table


def _coverage(found: xr.Dataset) -> str:
    return percent(found.attrs["coverage"])
