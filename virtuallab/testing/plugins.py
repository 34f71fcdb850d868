"""Helpers that the checks of several kinds of plug-ins share."""

from __future__ import annotations

import inspect
from typing import Any, NoReturn

import numpy as np

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
        decorator = f"@{registry.kind.upper().replace(' ', '_')}S.register('...')"
        broken(registry.kind, found, f"has no name; put {decorator} above its class")
    return found


def global_state() -> bytes:
    """State of numpy's global random stream."""
    state: bytes = np.random.get_state()[1].tobytes()  # type: ignore[index] # noqa: NPY002
    return state
