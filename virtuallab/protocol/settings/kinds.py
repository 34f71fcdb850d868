"""Types of settings: the shapes of YAML that they take, and their words in messages."""

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
    """A type without its ``Annotated`` bounds."""
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def is_union(kind: Any) -> bool:
    """Whether a type is ``A | B``."""
    return get_origin(kind) in (Union, types.UnionType)


def alternatives(kind: Any) -> tuple[Any, ...]:
    """Members of a union, each without its bounds; of another type the type alone."""
    kind = bare(kind)
    if not is_union(kind):
        return (kind,)
    return tuple(each for part in get_args(kind) for each in alternatives(part))


def is_list(kind: Any) -> bool:
    """Whether a type is a tuple of any length, which YAML writes as a list."""
    return get_origin(bare(kind)) is tuple and get_args(bare(kind))[-1:] == (...,)


def entry_of(kind: Any) -> Any:
    """Type of the entries of a tuple of any length."""
    return get_args(bare(kind))[0]


def dataclass_in(kind: Any) -> Any:
    """The dataclass that a value of this type is, if it is not None; None for other types."""
    rest = [each for each in alternatives(kind) if each is not types.NoneType]
    return rest[0] if len(rest) == 1 and dataclasses.is_dataclass(rest[0]) else None


def shape_of(value: object) -> str:
    """Shape of a value in the words of YAML.

    >>> shape_of(8), shape_of("8"), shape_of([8])
    ('whole number', 'text', 'list')
    """
    kind = type(value)
    if kind in (list, tuple, dict):
        return "mapping" if kind is dict else "list"
    return _SHAPES.get(kind, (kind.__name__,))[-1]


@functools.cache
def shapes(kind: Any) -> frozenset[str]:
    """Shapes (see :func:`shape_of`) that a written value of this type may have."""
    found: set[str] = set()
    for each in alternatives(kind):
        origin = get_origin(each)
        if origin is Literal:
            found.update(map(shape_of, get_args(each)))
        else:
            found.update(("list",) if origin in (tuple, list) else _SHAPES.get(each, ("mapping",)))
    return frozenset(found)


def words(*kinds: Any) -> str:
    """Words for the values that types allow.

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
