"""Names as text, however a file keeps them, and few of many in a message."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import jaxtyping as jt
import numpy as np

_SHOWN = 3
_MISSING = ("", "nan", "NaN", "NaT", "None", "<NA>")  # as libraries write what is not there


def as_words(values: Iterable[object]) -> list[str]:
    """Return names as text.

    >>> as_words([2.0, 2, b"V1", "CA1 "])
    ['2', '2', 'V1', 'CA1']
    """
    return [_word(value) for value in values]


def missing(words: Sequence[str]) -> jt.Bool[np.ndarray, " name"]:
    """Return which names are missing, once they are text.

    >>> missing(as_words([1.0, float("nan"), "", "V1"])).tolist()
    [False, True, True, False]
    """
    return np.array([word in _MISSING for word in words], dtype=bool)


def _word(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip()
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def few(names: Sequence[object]) -> str:
    """Name the first of many, and say how many follow.

    >>> few(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    shown = ", ".join(map(str, names[:_SHOWN]))
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown


def counted(count: int, noun: str) -> str:
    """Return a number with its noun, which takes an s where it is not one.

    >>> counted(1, "unit"), counted(2, "unit")
    ('1 unit', '2 units')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
