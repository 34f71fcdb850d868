"""Messages on faults of a protocol, in terms of YAML.

Messages of pydantic are in terms of Python. Each of its errors is therefore rewritten as soon as it
is raised, where the valid keys are known.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from virtuallab.errors import suggest
from virtuallab.protocol.messages.places import Place

_LONGEST_EXCERPT = 60
_EXACT = 2**53  # whole numbers up to which a float is one number only


def found(value: object) -> str:
    """Return a value as messages quote it, with its type if a text could be taken for a number.

    >>> found("8"), found(-5), found(None), found([1, 2])
    ("'8' (text)", '-5', 'nothing', '[1, 2]')
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return f"a mapping of {', '.join(map(str, value))}" if value else "an empty mapping"
    text = repr(value)
    if len(text) > _LONGEST_EXCERPT:
        if isinstance(value, list):
            return f"a list of {len(value)}"
        text = f"{text[:_LONGEST_EXCERPT]}..."
    return f"{text} (text)" if isinstance(value, str) else text


def reads_as_number(value: object) -> bool:
    """Return whether a value is a text that would be a finite number without its quotes."""
    if not isinstance(value, str):
        return False
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False


def expected(what: str, value: object) -> str:
    """Return a message with the expected value, the one found, and a correction if it is obvious.

    >>> expected("a whole number", "8")
    "should be a whole number, found '8' (text). Remove the quotes."
    """
    return f"should be {what}, found {found(value)}.{_remedy(what, value)}"


def unknown_key(key: str, keys: Iterable[str]) -> str:
    """Return the message on an unknown key, with the nearest of the valid ones."""
    return f"unknown key. {suggest(key, keys)}".replace("Known:", "Keys here:")


def _remedy(what: str, value: object) -> str:
    """Return what to write instead, if the intended value is obvious."""
    if what.startswith("text") and isinstance(value, bool | int | float):
        written = found(value)
        return f" Put it in quotes: '{written}'." if len(written) < _LONGEST_EXCERPT else ""
    if isinstance(value, str) and (
        near := get_close_matches(value, re.findall(r"'([^']{2,})'", what), n=1)
    ):  # quoted single characters are those allowed in names, not values
        return f" Did you mean {near[0]!r}?"
    if "number" not in what:
        return ""
    if reads_as_number(value):
        return " Remove the quotes."
    if isinstance(value, str) and re.fullmatch(r"[-+]?\d+,\d+", value.strip()):
        return f" Write {value.strip().replace(',', '.')}, with a point."
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return f" Write {int(value)}."
    return ""


def refusals(faults: Iterable[tuple[Place, str]]) -> ValidationError:
    """Return the error that a validator raises for faults: places in the value, and messages."""
    details = [
        InitErrorDetails(type=PydanticCustomError("fault", "{m}", {"m": m}), loc=place, input=None)
        for place, m in faults
    ]
    return ValidationError.from_exception_data("protocol", details)


def raise_faults(faults: Sequence[tuple[Place, str]]) -> None:
    """Raise a ``ValidationError`` with these faults, if there are any."""
    if faults:
        raise refusals(faults)


def refusal(message: str, *place: str | int) -> ValidationError:
    """Return the error that a validator raises for one fault, by default of the value itself."""
    return refusals([(place, message)])


def faults_of(error: ValidationError, keys: Iterable[str] = ()) -> list[tuple[Place, str]]:
    """Return places and messages of an error's faults.

    Parameters
    ----------
    error : ValidationError
    keys : iterable of str
        Keys of the section, to suggest the nearest to an unknown one.
    """
    details: Sequence[Any] = error.errors(include_url=False)
    places = [tuple(detail["loc"]) for detail in details]
    return [
        (tuple(part for part in place if part != "[key]"), _words(detail, tuple(keys)))
        for place, detail in zip(places, details, strict=True)
        if not _only_follows(place, detail, places)
    ]


def _only_follows(place: Place, detail: Any, places: Sequence[Place]) -> bool:
    """Return whether a list counts as too short only because its entries have faults."""
    return detail["type"] == "too_short" and any(
        len(other) > len(place) and other[: len(place)] == place for other in places
    )


def _words(detail: Any, keys: tuple[str, ...]) -> str:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    match kind:
        case "fault":
            return str(context["m"])
        case "missing":
            return "missing key. It has no default."
        case "extra_forbidden":
            return unknown_key(str(detail["loc"][-1]), keys)
        case "greater_than":
            return expected(f"greater than {_number(context['gt'])}", value)
        case "greater_than_equal":
            return expected(f"at least {_number(context['ge'])}", value)
        case "less_than":
            return expected(f"less than {_number(context['lt'])}", value)
        case "less_than_equal":
            return expected(f"at most {_number(context['le'])}", value)
        case "too_short" if context["actual_length"] == 0:
            return "the list is empty. Give at least one."
        case "too_short":
            return f"needs at least {context['min_length']} entries, found {len(value)}."
        case "too_long":
            return f"takes at most {context['max_length']} entries, found {len(value)}."
        case "string_too_long":
            return f"takes at most {context['max_length']} characters, found {len(value)}."
        case "literal_error":
            return expected(str(context["expected"]), value)
        case "string_pattern_mismatch":
            return expected(
                "made of letters a to z, digits, '_' and '-', not beginning with '-'", value
            )
        case "value_error":
            return f"{context['error']}."
        case _ if kind in _SHOULD_BE:
            return expected(_SHOULD_BE[kind], value)
    return f"{detail['msg']}, found {found(value)}."


def _number(bound: float | int) -> str:
    return f"{bound:,}" if isinstance(bound, int) and bound >= 10_000 else f"{bound:g}"


_SHOULD_BE = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "text",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping of keys",
    "model_type": "a mapping of keys",
    "model_attributes_type": "a mapping of keys",
}
