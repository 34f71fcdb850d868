"""Types of settings: their shapes in YAML, and their names in messages."""

from __future__ import annotations

import dataclasses
import functools
import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

_SHAPES: dict[Any, tuple[str, ...]] = {
    int: ("whole number",),
    float: ("whole number", "number"),
    str: ("text",),
    bool: ("true or false",),
    types.NoneType: ("nothing",),
}
_WORDS = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}


def bare(kind: Any) -> Any:
    """Return a type without its ``Annotated`` bounds."""
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def is_union(kind: Any) -> bool:
    """Return whether a type is ``A | B``."""
    return get_origin(kind) in (Union, types.UnionType)


def alternatives(kind: Any) -> tuple[Any, ...]:
    """Return the members of a union, each without its bounds; for another type that type."""
    kind = bare(kind)
    if not is_union(kind):
        return (kind,)
    return tuple(each for part in get_args(kind) for each in alternatives(part))


def is_list(kind: Any) -> bool:
    """Return whether a type is a tuple of any length, which is a list in YAML."""
    return get_origin(bare(kind)) is tuple and get_args(bare(kind))[-1:] == (...,)


def entry_of(kind: Any) -> Any:
    """Return the type of the entries of a tuple of any length."""
    return get_args(bare(kind))[0]


def dataclass_in(kind: Any) -> Any:
    """Return the dataclass ``D`` of a type ``D`` or ``D | None``; None for other types."""
    rest = [each for each in alternatives(kind) if each is not types.NoneType]
    return rest[0] if len(rest) == 1 and dataclasses.is_dataclass(rest[0]) else None


def shape_of(value: object) -> str:
    """Return the shape of a value in terms of YAML.

    >>> shape_of(8), shape_of("8"), shape_of([8])
    ('whole number', 'text', 'list')
    """
    kind = type(value)
    if kind in (list, tuple, dict):
        return "mapping" if kind is dict else "list"
    return _SHAPES.get(kind, (kind.__name__,))[-1]


@functools.cache
def shapes(kind: Any) -> frozenset[str]:
    """Return the shapes (see :func:`shape_of`) that values of a type may have in YAML."""
    found: set[str] = set()
    for each in alternatives(kind):
        origin = get_origin(each)
        if origin is Literal:
            found.update(map(shape_of, get_args(each)))
        else:
            found.update(("list",) if origin in (tuple, list) else _SHAPES.get(each, ("mapping",)))
    return frozenset(found)


def words(*kinds: Any) -> str:
    """Return a description of the values that types allow.

    >>> words(int | Literal["all"])
    "a whole number or 'all'"
    """
    found: list[str] = []
    for each in (part for kind in kinds for part in alternatives(kind)):
        origin = get_origin(each)
        if origin is Literal:
            found += map(repr, get_args(each))
        elif each is not types.NoneType:
            found.append(
                "a list" if origin in (tuple, list) else _WORDS.get(each, "a mapping of keys")
            )
    return " or ".join(found)
