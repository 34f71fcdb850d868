"""Text for readers: formatted numbers and lists, and untrusted text made safe."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

_KEPT = "\n\t"


def printable(text: str) -> str:
    r"""Return text without characters that would control the terminal or the page.

    Control characters, terminal escapes and characters that reverse or hide the text around them
    are replaced by their escapes in Python; line breaks and tabs are kept.

    Examples
    --------
    >>> printable("a\x1b[31m question")
    'a\\x1b[31m question'
    """
    # Cc: control, Cf: format (reversal of direction, zero width), Cs: halves of a surrogate pair.
    hidden = {"Cc", "Cf", "Cs"}
    lines = text.replace("\r\n", "\n")  # the line ends of Windows are line ends
    return "".join(
        c if c in _KEPT or unicodedata.category(c) not in hidden else _escaped(c) for c in lines
    )


def brief(text: str, longest: int = 500) -> str:
    """Return text for a message: :func:`printable`, with overlong words cut.

    Parameters
    ----------
    text : str
    longest : int
        Most characters of a word; the first 60 of a longer one are kept.

    Examples
    --------
    >>> brief("no device is called " + "[" * 200_000)[-20:]
    '[[[... (200000 long)'
    """
    cut = re.sub(rf"\S{{{longest},}}", lambda m: f"{m[0][:60]}... ({len(m[0])} long)", text)
    return printable(cut)


def percent(share: float, decimals: int | None = None) -> str:
    """Return a share in per cent.

    Parameters
    ----------
    share : float
        From 0 to 1.
    decimals : int, optional
        Digits after the point; by default as many as needed.

    Examples
    --------
    >>> percent(0.95), percent(0.975), percent(0.8875, 0)
    ('95 %', '97.5 %', '89 %')
    """
    number = f"{100 * share:g}" if decimals is None else f"{100 * share:.{decimals}f}"
    return f"{number} %"


def listed(names: Iterable[str]) -> str:
    """Return names as part of a sentence.

    Examples
    --------
    >>> listed(["units"]), listed(["units", "noise", "visits"])
    ('units', 'units, noise and visits')
    """
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def diverged(count: int, total: int) -> str:
    """Return how many subjects diverged, with a remedy, as a sentence without its full stop.

    Examples
    --------
    >>> diverged(3, 8)
    '3 of 8 subjects diverged: lower the learning rates, or the strengths of the rules'
    """
    found = f"{count} of {count_noun(total, 'subject')} diverged"
    return f"{found}: lower the learning rates, or the strengths of the rules"


def as_names(names: str | Iterable[str]) -> tuple[str, ...]:
    """Return names as a tuple; one text is one name, not its letters.

    Examples
    --------
    >>> as_names("units"), as_names(["units", "noise"])
    (('units',), ('units', 'noise'))
    """
    return (names,) if isinstance(names, str) else tuple(names)


def count_noun(count: int, noun: str) -> str:
    """A number with its noun, in the plural where needed.

    Parameters
    ----------
    count : int
    noun : str
        In the singular; its plural ends with "s".

    Returns
    -------
    str

    Examples
    --------
    >>> count_noun(1, "subject"), count_noun(2, "subject")
    ('1 subject', '2 subjects')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def part_of(count: int, total: int, noun: str) -> str:
    """Some of a number of things, as the subject of a sentence.

    Parameters
    ----------
    count, total : int
        The number of those meant, at least 1, and of all.
    noun : str
        In the singular; its plural ends with "s".

    Returns
    -------
    str

    Examples
    --------
    >>> part_of(2, 3, "result"), part_of(3, 3, "result"), part_of(1, 1, "result")
    ('2 of 3 results', 'all 3 results', 'the result')
    """
    if count < total:
        return f"{count} of {count_noun(total, noun)}"
    return f"the {noun}" if total == 1 else f"all {count_noun(total, noun)}"


def first_line(error: Exception) -> str:
    r"""First line of an error's text as a sentence, or the kind of the error if it has no text.

    Examples
    --------
    >>> first_line(ValueError("two lines!\nof text")), first_line(KeyError())
    ('two lines.', 'KeyError.')
    """
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return f"{printable(lines[0]).rstrip('.!')}."


def short(value: object, digits: int = 3) -> str:
    """Return the value of a setting as text, with numbers rounded to significant digits.

    Parameters
    ----------
    value : object
        A number, text, list or mapping, also nested.
    digits : int
        Significant digits of a number that is not an integer.

    Examples
    --------
    >>> short(0.12345), short(200), short({"snr": 0.5, "poisson": None}), short([1, 2.0])
    ('0.123', '200', 'snr 0.5', '[1, 2]')
    """
    if isinstance(value, Mapping):
        entries = (f"{k} {short(v, digits)}" for k, v in value.items() if v is not None)
        return ", ".join(entries)
    if isinstance(value, list):
        return f"[{', '.join(short(each, digits) for each in value)}]"
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")
