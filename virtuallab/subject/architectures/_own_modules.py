"""Modules of users as architectures: ``mynet:Net``, a class of a module that is a plug-in."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from torch import nn

from virtuallab import plugins
from virtuallab.errors import BrokenPlugin, suggest
from virtuallab.fields import setting
from virtuallab.subject.architecture import Architecture, Shape
from virtuallab.subject.architectures._modules import Argument, arguments_of, module_architecture

_GIVEN = ("stimulus_shape", "outputs")  # parameters that depend on the task


def own_architecture(name: str) -> type[Architecture]:
    """Class of the architecture of a user's module.

    Parameters of its constructor are settings, except ``stimulus_shape`` and ``outputs``, which
    have the shape of a stimulus, ``(channel, height, width)``, and the number of scores.

    Parameters
    ----------
    name : str
        ``"mynet:Net"``; ``mynet`` is imported by ``--plugin mynet.py``.

    Returns
    -------
    type

    Raises
    ------
    UnknownName
        If no plug-in has such a class, or its constructor has parameters that a protocol cannot
        give.
    """
    path, _, class_name = name.partition(":")
    if path.endswith(".py"):
        stem = path.removesuffix(".py").replace("\\", "/").rpartition("/")[2]
        reason = f"name the module, not its file: {stem}:{class_name}, with --plugin {path}"
        raise BrokenPlugin("architecture", name, f"{reason}.")
    module = plugins.imported(path)
    if module is None:
        raise BrokenPlugin(
            "architecture",
            name,
            f"--plugin did not import a module {path!r}. Add --plugin {path}.py, with the path of "
            f"the file, or --plugin {path} for an installed module.",
        )
    found = getattr(module, class_name, None)
    if found is None:
        hint = suggest(class_name, _networks(module))
        raise BrokenPlugin("architecture", name, f"{path} has no class {class_name!r}. {hint}")
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        reason = f"{class_name} is not a class derived from torch.nn.Module."
        if isinstance(found, type) and issubclass(found, Architecture):
            reason = f"{class_name} is an architecture. Register it, and use its registered name."
        raise BrokenPlugin("architecture", name, reason)
    return _architecture(name, found)  # type: ignore[arg-type]  # mypy takes a class as unhashable


@functools.cache
def _architecture(name: str, network_class: type[nn.Module]) -> type[Architecture]:
    settings, lists = {}, set()
    for each in _settings(name, network_class):
        doc = f"Parameter of {name}."
        settings[each.name] = each.kind, setting(each.default, doc=doc)
        if each.is_list:
            lists.add(each.name)
    parameters = inspect.signature(network_class).parameters

    def build(given: dict[str, Any], stimulus_shape: Shape, outputs: int) -> nn.Module:
        arguments = {k: list(v) if k in lists else v for k, v in given.items()}
        task = {"stimulus_shape": stimulus_shape, "outputs": outputs}
        return network_class(**arguments, **{k: v for k, v in task.items() if k in parameters})

    doc = (network_class.__doc__ and inspect.getdoc(network_class)) or f"The module {name}."
    return module_architecture(name, doc, "", network_class.__module__, settings, build)


def _settings(name: str, network_class: type[nn.Module]) -> Iterator[Argument]:
    """Yield the parameters that are settings; those of other types keep their defaults."""
    for each in arguments_of(network_class):
        if each.name in _GIVEN:
            continue
        if each.kind is not None:
            yield each
        elif each.default is dataclasses.MISSING:
            raise BrokenPlugin(
                "architecture",
                name,
                f"its constructor needs {each.name!r}, of a type that a protocol cannot give. "
                f"Annotate it, as in '{each.name}: int', or give it a default.",
            )


def _networks(module: ModuleType) -> list[str]:
    """Names of the networks that a module defines."""
    return [
        name
        for name, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, nn.Module)
        and value.__module__ == module.__name__
    ]
