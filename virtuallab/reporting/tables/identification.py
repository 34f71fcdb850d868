"""Identification of one recording for the terminal: a table and sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import xarray as xr
from rich.console import Group, RenderableType

from virtuallab.console import TerminalTable, plain, terminal_table
from virtuallab.reporting.style import pretty
from virtuallab.text import count_noun, listed, percent, printable
from virtuallab.vocabulary import RULE

# Shares of the decoder's own recordings below which a recording is called novel or distant.
_NOVEL: Final = 0.05
_DISTANT: Final = 0.01


def identification_summary(found: xr.Dataset) -> RenderableType:
    """The probability of each rule, the verdict and remarks.

    Parameters
    ----------
    found : xr.Dataset
        Result of :func:`virtuallab.lab.identification.identify.identify`.

    Returns
    -------
    rich renderable
    """
    return Group(
        _table(found),
        plain(verdict(found), "bold"),
        *(plain(remark) for remark in remarks(found)),
    )


def verdict(found: xr.Dataset) -> str:
    """The identified rule, or the reason why none is identified, as a sentence."""
    distant = (
        "The recording differs more from the training recordings than 99 % of these do."
        if float(found["typical"]) < _DISTANT
        else ""
    )
    # Novelty first: a recording of an unknown rule may also be distant, in a setup that is known.
    if found.attrs["others"] and float(found["familiar"]) < _NOVEL:
        share = f"{100 * float(found['familiar']):.1f} %"
        novel = f"None of these rules: only {share} of the recordings of known rules are as novel."
        return f"{novel} {distant}".rstrip()
    if distant:
        return f"Outside the range of this decoder. {distant}"
    order = np.argsort(-found["probability"].values, kind="stable")
    first = str(found[RULE].values[order[0]])
    likely = f"{pretty(first)} (probability {float(found['probability'][order[0]]):.2f})"
    chance, count = 1 / found.sizes[RULE], found.sizes[RULE]
    if found.attrs["interval"][0] <= chance:
        return (
            "Cannot tell: the decoder is not shown to be more accurate than guessing. Most similar "
            f"to {likely}."
        )
    inside = [str(rule) for rule in found[RULE].values[found["in_set"].values]]
    if not inside:
        return (
            f"No rule is identified: none is in the {_coverage(found)} prediction set. Most "
            f"similar to {likely}."
        )
    if len(inside) == count:
        return (
            f"Cannot tell: all {count} rules are in the {_coverage(found)} prediction set. Most "
            f"similar to {likely}."
        )
    if inside == [first]:
        return (
            f"The rule is {likely}, if it is one of these {count}: no other is in the "
            f"{_coverage(found)} prediction set."
        )
    rest = [pretty(rule) for rule in inside if rule != first]
    return f"Most similar to {likely}; {listed(rest)} cannot be excluded."


def remarks(found: xr.Dataset) -> Iterator[str]:
    """Yield the accuracy of the decoder, and differences from its training recordings."""
    attrs = found.attrs
    low, high = attrs["interval"]
    yield (
        f"The decoder ({attrs['classifier']}, trained on "
        f"{count_noun(int(attrs['n_subjects']), 'subject')} of {attrs['title']}) has a balanced "
        f"accuracy of {attrs['accuracy']:.2f} [{low:.2f}, {high:.2f}] on subjects not used for "
        f"training; chance among {count_noun(found.sizes[RULE], 'rule')} is "
        f"{1 / found.sizes[RULE]:.2f}."
    )
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


def _table(found: xr.Dataset) -> TerminalTable:
    table = terminal_table(
        title=f"Probability of each rule, from {pretty(found.attrs['observable'])}",
        caption=(
            f"The {_coverage(found)} prediction set lists the rules that cannot be excluded. It "
            f"contains the true rule in {_coverage(found)} of cases."
        ),
    )
    inside = f"in {_coverage(found)} prediction set"
    for column in ("rule", "probability", inside):
        table.add_column(column, overflow="fold")
    for place in np.argsort(-found["probability"].values, kind="stable"):
        one = found.isel({RULE: int(place)})
        table.add_row(
            pretty(str(one[RULE].values)),
            f"{float(one['probability']):.2f}",
            "yes" if bool(one["in_set"]) else "no",
        )
    return table


def _coverage(found: xr.Dataset) -> str:
    return percent(found.attrs["coverage"])
