"""The identification of one recording for the terminal: a table and sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import xarray as xr
from rich.console import Group, RenderableType

from virtuallab.console import TerminalTable, plain, terminal_table
from virtuallab.reporting.style import pretty
from virtuallab.text import percent, printable
from virtuallab.vocabulary import RULE

# Of the recordings known, so few look as foreign, or lie as far away, by chance.
_FOREIGN: Final = 0.05
_FAR: Final = 0.01


def identification_summary(found: xr.Dataset) -> RenderableType:
    """The probability of each rule, the verdict and remarks.

    Parameters
    ----------
    found : xr.Dataset
        As :func:`virtuallab.lab.identification.identify.identify` returns it.
    """
    return Group(
        _table(found),
        plain(verdict(found), "bold"),
        *(plain(remark) for remark in remarks(found)),
    )


def verdict(found: xr.Dataset) -> str:
    """The rule that was identified, or why none is named, in a sentence."""
    far = (
        "the recording is farther from those it was trained on than any of them from the others."
        if float(found["typical"]) < _FAR
        else ""
    )
    # First: a rule that is none of these may well lie far from them, in a setup that is known.
    if found.attrs["others"] and float(found["familiar"]) < _FOREIGN:
        share = 100 * float(found["familiar"])
        said = f"only {share:.1f} % of the recordings of known rules look as foreign"
        return f"None of these: {said}, and {far}" if far else f"None of these: {said}."
    if far:
        return f"Outside what this decoder knows: {far}"
    order = np.argsort(-found["probability"].values, kind="stable")
    first = str(found[RULE].values[order[0]])
    likely = f"{pretty(first)}, with probability {float(found['probability'][order[0]]):.2f}"
    inside = [str(rule) for rule in found[RULE].values[found["in_set"].values]]
    if not inside:
        return (
            f"No rule is named: the recording conforms to none as {_coverage(found)} of the rule's "
            f"own recordings do. The nearest is {likely}."
        )
    rest = [pretty(rule) for rule in inside if rule != first]
    more = f" {' and '.join(rest)} cannot be excluded." if rest else ""
    return f"The rule is {likely}, if it is one of these.{more}"


def remarks(found: xr.Dataset) -> Iterator[str]:
    """The accuracy of the decoder, and how the recording differs from those it was trained on."""
    attrs = found.attrs
    low, high = attrs["interval"]
    yield (
        f"On subjects it did not know the decoder ({attrs['classifier']}, {attrs['n_subjects']} "
        f"subjects of {attrs['title']}) has a balanced accuracy of {attrs['accuracy']:.2f} "
        f"[{low:.2f}, {high:.2f}]; chance is {1 / found.sizes[RULE]:.2f}."
    )
    if not attrs["others"]:
        yield (
            "No out-of-set rules were given (--others), so an unknown rule is forced into one of "
            "these classes."
        )
    if attrs["notes"]:
        yield "Of the recording:"
        yield from (f"  {printable(note)}" for note in attrs["notes"])
    if attrs["differences"]:
        yield "Unlike the recordings it was trained on:"
        yield from (f"  {difference}" for difference in attrs["differences"])


def _table(found: xr.Dataset) -> TerminalTable:
    table = terminal_table(
        title=f"Which rule was at work? From {pretty(found.attrs['observable'])}",
    )
    inside = f"in the {_coverage(found)} set"
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
