"""Names of a file as text, and short lists of names for messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import jaxtyping as jt
import numpy as np

_SHOWN = 3
_MISSING = ("", "nan", "NaN", "NaT", "None", "<NA>")  # missing values of several libraries


def as_text(values: Iterable[object]) -> list[str]:
    """Return names as text.

    >>> as_text([2.0, 2, b"V1", "CA1 "])
    ['2', '2', 'V1', 'CA1']
    """
    return [_text(value) for value in values]


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    elif isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    return str(value).strip()


def is_missing(names: Sequence[str]) -> jt.Bool[np.ndarray, " name"]:
    """Return which names, as :func:`as_text` returns them, are missing.

    >>> is_missing(as_text([1.0, float("nan"), "", "V1"])).tolist()
    [False, True, True, False]
    """
    return np.array([name in _MISSING for name in names], dtype=bool)


def blank_missing(names: Sequence[str]) -> list[str]:
    """Return names with an empty text in the place of each that is missing.

    >>> blank_missing(["V1", "nan"])
    ['V1', '']
    """
    return ["" if none else name for name, none in zip(names, is_missing(names), strict=True)]


def first_few(names: Sequence[object]) -> str:
    """Return the first of many names, and the number of the others.

    >>> first_few(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    shown = ", ".join(map(str, names[:_SHOWN]))
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
