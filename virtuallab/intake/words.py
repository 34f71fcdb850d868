"""Names as text, however a file keeps them, and few of many in a message."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

_SHOWN = 3


def as_words(values: Iterable[object]) -> list[str]:
    """Return names as text.

    >>> as_words([2.0, 2, b"V1", "CA1 "])
    ['2', '2', 'V1', 'CA1']
    """
    return [_word(value) for value in values]


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
