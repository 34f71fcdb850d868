"""Helpers that the checks of several kinds of plug-ins share."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any, NoReturn

import numpy as np

from virtuallab.fields import float_fields
from virtuallab.registry import Registry


def broken(kind: str, plugin: Any, what: str) -> NoReturn:
    """Raise an AssertionError that names the plug-in and what it breaks."""
    name = getattr(plugin, "name", type(plugin).__name__)
    raise AssertionError(f"{kind} {name!r} {what.rstrip('.')}.")


def made(plugin: Any, registry: Registry[Any], base: type[Any], **settings: Any) -> Any:
    """Instance of a plug-in that is given as a registered name, a class or an instance.

    Parameters
    ----------
    plugin : str, type or object
    registry : Registry
    base : type
        The class that it has to derive from.
    **settings
        Of an instance that is made here.

    Raises
    ------
    AssertionError
        If it does not derive from the base class, or has no name.
    """
    if isinstance(plugin, str):
        plugin = registry[plugin]
    found = plugin(**settings) if inspect.isclass(plugin) else plugin
    if not isinstance(found, base):
        raise AssertionError(f"{type(found).__name__} does not derive from {base.__name__}")  # noqa: TRY004
    if not hasattr(found, "name"):
        plural = f"{registry.kind}{'es' if registry.kind.endswith('s') else 's'}"
        decorator = f"@{plural.upper().replace(' ', '_')}.register('...')"
        broken(registry.kind, found, f"has no name; put {decorator} above its class")
    return found


def made_value(plugin: Any, registry: Registry[Any], base: type[Any]) -> Any:
    """Instance of a plug-in that is a frozen dataclass, with equal hashes of equal instances.

    Parameters and exceptions are those of :func:`made`.
    """
    found = made(plugin, registry, base)
    try:
        same = hash(found) == hash(dataclasses.replace(found))
    except TypeError as error:
        broken(
            registry.kind,
            found,
            f"cannot be hashed ({error}); its fields must be numbers, texts or tuples",
        )
    if not same:
        broken(registry.kind, found, "and its copy have different hashes; keep the dataclass's")
    return found


def varied(plugin: Any, number: int) -> Any:
    """Copy of a plug-in whose real-numbered settings depend on ``number``; 0 leaves them."""
    kind: Any = type(plugin)
    given = {name: getattr(plugin, name) for name in float_fields(kind)}
    changed = {k: v * (1 - 0.1 * number) if v else 0.01 * number for k, v in given.items()}
    return dataclasses.replace(plugin, **changed)


def global_state() -> bytes:
    """State of numpy's global random stream."""
    state = np.random.get_state(legacy=False)["state"]  # noqa: NPY002
    return bytes(state["key"].tobytes()) + str(state["pos"]).encode()
