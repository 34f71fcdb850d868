"""Architectures made of modules that are not of virtuallab.

The settings of such an architecture are parameters of a constructor, read from its signature. A
class is made for each module, with a field for each setting, as other architectures have.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import torch

from virtuallab.registry import ARCHITECTURES
from virtuallab.subject.architecture import Architecture, Shape

Builder = Callable[[dict[str, Any], Shape, int], "torch.nn.Module"]
Settings = Mapping[str, tuple[Any, Any]]

_SIMPLE = (int, float, bool, str)


@dataclass(frozen=True)
class Argument:
    """Parameter of a constructor, as a setting.

    Parameters
    ----------
    name : str
    kind : type or None
        Lists are tuples, so that architectures are hashable. None if a protocol cannot express it.
    default : object
        ``dataclasses.MISSING`` if there is none.
    is_list : bool
        True if the constructor expects a list.
    """

    name: str
    kind: Any
    default: Any
    is_list: bool


def arguments_of(constructor: type[Any]) -> Iterator[Argument]:
    """Yield the parameters of a constructor.

    A parameter without an annotation has the type of its default.
    """
    hints = get_type_hints(constructor.__init__, include_extras=True)
    for each in inspect.signature(constructor).parameters.values():
        if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
            continue
        required = each.default is each.empty
        hint = hints.get(each.name, None if required else _type_of(each.default))
        default = tuple(each.default) if isinstance(each.default, list) else each.default
        is_list = get_origin(hint) is list
        kind = tuple[get_args(hint)[0], ...] if is_list else hint  # type: ignore[misc]
        yield Argument(
            each.name,
            kind if _is_readable(kind) else None,
            dataclasses.MISSING if required else default,
            is_list,
        )


def module_architecture(
    name: str, doc: str, family: str, origin: str, settings: Settings, build: Builder
) -> type[Architecture]:
    """Class of the architecture of a module.

    Parameters
    ----------
    name : str
        In protocols.
    doc : str
        Docstring of the class.
    family : str
        See :class:`Architecture`.
    origin : str
        Name of the Python module that defines the network.
    settings : mapping from str to (type, field)
        Type and declaration of each setting.
    build : callable
        Builds a network from settings, stimulus shape and number of outputs.

    Returns
    -------
    type
    """

    def build_network(self: Any, stimulus_shape: Shape, outputs: int) -> torch.nn.Module:
        given = {setting: getattr(self, setting) for setting in settings}
        return build(given, stimulus_shape, outputs)

    made = dataclasses.make_dataclass(
        name,
        [(setting, *declared) for setting, declared in settings.items()],
        bases=(_ModuleArchitecture,),
        namespace={"build": build_network, "name": name, "family": family, "__doc__": doc},
        frozen=True,
        kw_only=True,
    )
    made.__module__ = origin
    return made


class _ModuleArchitecture(Architecture):
    """Base class of the classes that are made."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by name, because no module has the class as an attribute."""
        settings = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        return _rebuilt, (self.name, settings)


def _rebuilt(name: str, settings: Mapping[str, Any]) -> Architecture:
    made: Architecture = ARCHITECTURES[name](**settings)
    return made


def _type_of(default: object) -> Any:
    """Type of an unannotated parameter with this default."""
    if isinstance(default, list | tuple) and default:
        inside = type(default[0])
        return list[inside] if isinstance(default, list) else tuple[inside, ...]  # type: ignore[valid-type]
    return type(default)


def _is_readable(kind: Any) -> bool:
    """True if a protocol can express values of this type."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _is_readable(inside[0])
    if origin in (Union, types.UnionType):
        values = [each for each in inside if each is not types.NoneType]
        return all(each in _SIMPLE or get_origin(each) is Literal for each in values)
    if origin is tuple and inside[1:] == (...,):
        return inside[0] in _SIMPLE
    return kind in _SIMPLE or origin is Literal
