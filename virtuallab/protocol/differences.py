"""Differences between two protocols."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_ABSENT = object()


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each setting that changed, in the order of the newer protocol.

    Rules are compared by their labels, so their order makes no difference.

    Parameters
    ----------
    old, new : mapping
        Of :meth:`Protocol.resolved`, or a part of it.

    >>> differences({"seed": 1}, {"seed": 2})
    ['seed was 1, now 2']
    """
    return list(_compare(old, new, ""))


def _compare(old: Any, new: Any, path: str) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*new, *(key for key in old if key not in new)]:
            inner = f"{path}.{key}" if path else str(key)
            yield from _compare(old.get(key, _ABSENT), new.get(key, _ABSENT), inner)
    elif _are_sections(old) and _are_sections(new):
        before = dict(_named(old))
        now = dict(_named(new))
        for index, key in enumerate(now):
            yield from _compare(before.get(key, _ABSENT), now[key], f"{path}[{index}]")
        for key in before:
            if key not in now:
                yield f"{path} had {_short(before[key])}, now gone"
    elif old is _ABSENT:
        yield f"{path} is new: {_short(new)}"
    elif new is _ABSENT:
        yield f"{path} was {_short(old)}, now gone"
    elif old != new:
        yield f"{path} was {_short(old)}, now {_short(new)}"


def _are_sections(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, Mapping) for each in value)


def _named(sections: list[Mapping[str, Any]]) -> Iterator[tuple[tuple[str, int], Any]]:
    """Yield each entry with its label or name, and its number among those of the same name."""
    seen: dict[str, int] = {}
    for section in sections:
        name = str(section.get("label", section.get("name")))
        seen[name] = seen.get(name, -1) + 1
        yield (name, seen[name]), section


def _short(value: Any) -> str:
    """Return a value as JSON; of a whole section only its label or name."""
    if isinstance(value, Mapping) and ("label" in value or "name" in value):
        return repr(value.get("label", value.get("name")))
    return json.dumps(value, ensure_ascii=False)
