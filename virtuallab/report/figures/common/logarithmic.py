"""Logarithmic axes with plain numbers.

matplotlib labels them by mathematical markup, which the theme does not read: a label may hold a
dollar sign.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator


def make_logarithmic(axes: Axes, which: Literal["x", "y"], low: float, high: float) -> None:
    """Make an axis logarithmic from a low to a high value, with plain round numbers at its ticks.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    which : "x" or "y"
    low, high : float
        Limits, greater than 0.
    """
    axes.set(**{f"{which}scale": "log", f"{which}lim": (low, high)})
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(FixedLocator(round_numbers(low, high)))
    axis.set_major_formatter(FuncFormatter(lambda number, _: plain(number)))
    axis.set_minor_locator(NullLocator())


def round_numbers(low: float, high: float) -> list[float]:
    """Round numbers between two values, two to seven where the values are a factor of 4 apart.

    >>> round_numbers(0.3, 40), round_numbers(20, 90)
    ([0.3, 1.0, 3.0, 10.0, 30.0], [20.0, 50.0])
    """
    first, last = int(np.floor(np.log10(low))), int(np.ceil(np.log10(high)))
    decades = np.log10(high / low)
    if decades > 3.5:
        stride = int(np.ceil(decades / 6))
        powers = range(-stride * (-first // stride), last + 1, stride)
        return [float(f"1e{power}") for power in powers if low <= float(f"1e{power}") <= high]
    steps = (1, 3) if decades > 1.5 else (1, 2, 5)
    between = [float(f"{step}e{power}") for power in range(first, last + 1) for step in steps]
    return [number for number in between if low <= number <= high]


def plain(number: float) -> str:
    """Write a number as a tick of an axis.

    >>> plain(0.003), plain(20000.0), plain(1e7)
    ('0.003', '20000', '1e7')
    """
    return f"{number:g}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
