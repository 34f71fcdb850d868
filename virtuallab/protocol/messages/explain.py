"""Say what is wrong with a protocol in the words of whoever wrote it.

pydantic knows what is wrong and where, but says it in the words of Python, and lists the keys it
tried on the way. Each fault is therefore put into words as soon as it is found, where the keys that
would have been right are still known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from virtuallab.errors import suggest

Place = tuple[str | int, ...]

_LONGEST_EXCERPT = 60
_EXACT = 2**53  # whole numbers up to which a float is one number only


def shape_of(value: object) -> str:
    """Name what a value is, in the words of YAML.

    >>> shape_of(8), shape_of("8"), shape_of([8])
    ('whole number', 'text', 'list')
    """
    kinds: dict[type, str] = {
        type(None): "nothing",
        bool: "true or false",
        int: "whole number",
        float: "number",
        str: "text",
        list: "list",
        tuple: "list",
        dict: "mapping",
    }
    return kinds.get(type(value), type(value).__name__)


def found(value: object) -> str:
    """Quote what was written, with its kind where the two are easily mistaken.

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
    """Whether a text would be a number without its quotes."""
    if not isinstance(value, str):
        return False
    try:
        float(value)
    except ValueError:
        return False
    return True


def expected(what: str, value: object) -> str:
    """Say what should stand there, what does, and how to mend it where that is plain.

    >>> expected("a whole number", "8")
    "should be a whole number, found '8' (text). Remove the quotes."
    """
    return f"should be {what}, found {found(value)}.{_remedy(what, value)}"


def _remedy(what: str, value: object) -> str:
    """Return what to write instead, where the intended value is obvious."""
    if what.startswith("text") and isinstance(value, bool | int | float):
        written = found(value)
        return f" Put it in quotes: '{written}'." if len(written) < _LONGEST_EXCERPT else ""
    if isinstance(value, str) and (
        near := get_close_matches(value, re.findall(r"'([^']{2,})'", what), n=1)
    ):  # a single character is one that a name may hold, no value
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


def refusal(faults: Iterable[tuple[Place, str]], value: object) -> ValidationError:
    """Make an error to raise inside a validator, with a place and words of its own for each fault.

    Parameters
    ----------
    faults : iterable of (place, message)
        Places are relative to the value being validated.
    value : object
        The value being validated.
    """
    return ValidationError.from_exception_data(
        "protocol",
        [
            InitErrorDetails(
                type=PydanticCustomError("fault", "{message}", {"message": message}),
                loc=place,
                input=value,
            )
            for place, message in faults
        ],
    )


def retold(error: ValidationError, keys: Iterable[str] = ()) -> ValidationError:
    """Put every fault of an error into words; ``keys`` are those the section knows."""
    return refusal(faults_of(error, keys), None)


def faults_of(error: ValidationError, keys: Iterable[str] = ()) -> list[tuple[Place, str]]:
    """Places and messages of an error's faults."""
    details: Sequence[Any] = error.errors(include_url=False)
    places = [tuple(detail["loc"]) for detail in details]
    return [
        (tuple(part for part in place if part != "[key]"), _words(detail, tuple(keys)))
        for place, detail in zip(places, details, strict=True)
        if not _only_follows(place, detail, places)
    ]


def _only_follows(place: Place, detail: Any, places: Sequence[Place]) -> bool:
    """Whether a list counts as too short only because its items are at fault themselves."""
    return detail["type"] == "too_short" and any(
        len(other) > len(place) and other[: len(place)] == place for other in places
    )


def _words(detail: Any, keys: tuple[str, ...]) -> str:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    match kind:
        case "fault":
            return str(context["message"])
        case "missing":
            return "missing key. It has no default."
        case "extra_forbidden":
            return f"unknown key. {suggest(str(detail['loc'][-1]), keys)}".replace(
                "Known:", "Keys here:"
            )
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


def path_of(place: Place) -> str:
    """Write a place as a path.

    >>> path_of(("subjects", "rules", 0, "name"))
    'subjects.rules[0].name'
    """
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".")
