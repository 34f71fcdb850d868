"""Parts that the conformance checks of several kinds of plug-ins share."""

from __future__ import annotations

import dataclasses
from typing import Any, NoReturn

import numpy as np

from virtuallab import registry as registries
from virtuallab.fields import float_fields
from virtuallab.registry import Registry


def plugin_instance(plugin: Any, registry: Registry[Any], base: type[Any]) -> Any:
    """Instance of a plug-in, after checks that it has the base class, a name and a hash.

    Raises
    ------
    AssertionError
        If it does not derive from the base class, does not define all of its methods, has settings
        without a default, has no name, or is a dataclass that cannot be hashed.
    """
    known = registry[plugin] if isinstance(plugin, str) else plugin
    if isinstance(known, type):
        _check_can_be_made(known)
    made: Any = known() if isinstance(known, type) else known
    found = type(made).__name__
    if not isinstance(made, base):
        raise AssertionError(f"{found} does not derive from {base.__name__}.")  # noqa: TRY004
    if not hasattr(made, "name"):
        names = next(key for key, value in vars(registries).items() if value is registry)
        raise AssertionError(f"{found} has no name; put @{names}.register('...') above its class.")
    if not dataclasses.is_dataclass(type(made)):
        return made
    try:
        same = hash(made) == hash(dataclasses.replace(made))
    except TypeError as error:
        raise AssertionError(
            f"{found} cannot be hashed ({error}); its fields must be numbers, texts or tuples."
        ) from error
    if not same:
        raise AssertionError(f"{found} and its copy have different hashes; keep the dataclass's.")
    return made


def _check_can_be_made(plugin: type[Any]) -> None:
    """Raise an AssertionError for a class of which no instance with default settings exists."""
    if missing := ", ".join(sorted(getattr(plugin, "__abstractmethods__", ()))):
        raise AssertionError(f"{plugin.__name__} does not define {missing}.")
    fields = dataclasses.fields(plugin) if dataclasses.is_dataclass(plugin) else ()
    absent = dataclasses.MISSING
    required = [f.name for f in fields if f.init and f.default is f.default_factory is absent]
    if required:
        raise AssertionError(
            f"{plugin.__name__} has settings without a default ({', '.join(required)}); check an "
            "instance."
        )


def varied(plugin: Any, number: int) -> Any:
    """Copy of a plug-in whose real-numbered settings depend on ``number``; 0 leaves them."""
    kind: Any = type(plugin)
    given = {name: getattr(plugin, name) for name in float_fields(kind)}
    changed = {k: v * (1 - 0.1 * number) if v else 0.01 * number for k, v in given.items()}
    return dataclasses.replace(plugin, **changed)


def broken(kind: str, plugin: Any, what: str) -> NoReturn:
    """Raise an AssertionError that names the plug-in and what it breaks."""
    name = getattr(plugin, "name", type(plugin).__name__)
    raise AssertionError(f"{kind} {name!r} {what.rstrip('.')}.")


def global_state() -> bytes:
    """State of numpy's global random stream."""
    state = np.random.get_state(legacy=False)["state"]  # noqa: NPY002
    return bytes(state["key"].tobytes()) + str(state["pos"]).encode()  # one draw moves pos alone
