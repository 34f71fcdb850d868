"""Messages on numbers that were written with a unit: ``20 ms``, ``5 Hz``, ``20%``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from virtuallab.protocol.messages.explain import found, reads_as_number

_QUANTITY = re.compile(
    r"\s*(?P<number>[-+]?(?:\d[\d_]*(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d+)?)\s*"
    r"(?P<unit>(%|(1?/ ?)?[^\W\d_]).{0,20}?)\s*"
)
# unit -> dimension, and factor to the dimension's base unit
_UNITS: Mapping[str, tuple[str, float]] = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), ("time", 1.0)),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), ("time", 1e-3)),
    **dict.fromkeys(("us", "µs", "μs"), ("time", 1e-6)),
    **dict.fromkeys(("min", "minute", "minutes"), ("time", 60.0)),
    **dict.fromkeys(("h", "hour", "hours"), ("time", 3600.0)),
    **dict.fromkeys(("Hz", "hz", "/s", "1/s", "s^-1", "s-1", "per second"), ("rate", 1.0)),
    **dict.fromkeys(("kHz", "/ms", "1/ms"), ("rate", 1e3)),
    "mHz": ("rate", 1e-3),
    **dict.fromkeys(("um", "µm", "μm", "micron", "microns"), ("length", 1e-6)),
    "nm": ("length", 1e-9),
    "mm": ("length", 1e-3),
    "cm": ("length", 1e-2),
    "m": ("length", 1.0),
    **dict.fromkeys(("%", "percent", "per cent"), ("share", 1e-2)),
}


def without_unit(unit: str, written: object) -> str | None:
    """Return the message on a number that was written with its unit.

    Parameters
    ----------
    unit : str
        Unit of the setting; empty if its numbers have none.
    written : object
        Value in the protocol.

    Returns
    -------
    str or None
        None if it is no number with a unit.

    >>> without_unit("s", "20 ms")
    "should be a number in s, without its unit, found '20 ms' (text). Write 0.02."
    >>> without_unit("", "10 dB")
    "should be a ratio of standard deviations, not in decibels, found '10 dB' (text). Write 3.162."
    """
    parts = _QUANTITY.fullmatch(written) if isinstance(written, str) else None
    if parts is None or reads_as_number(written):
        return None
    number = float(parts["number"].replace(",", ".").replace("_", ""))
    dimension, size = _UNITS.get(parts["unit"], (parts["unit"], 1.0))
    if not unit and parts["unit"].casefold() == "db":
        words = (
            f"should be a ratio of standard deviations, not in decibels, found {found(written)}."
        )
        return f"{words} Write {10 ** (number / 20):.4g}."
    if not unit:
        number *= size if dimension == "share" else 1
        return f"should be a number without a unit, found {found(written)}. Write {number:.6g}."
    wanted, unit_size = _UNITS.get(unit, (unit, 1.0))  # "images" is a unit of its own
    words = f"should be a number in {unit}, without its unit, found {found(written)}."
    return f"{words} Write {number * size / unit_size:.6g}." if dimension == wanted else words
