"""Classification models of torchvision as architectures, by their names there.

Names and settings are read from the source of torchvision, which is imported when a network is
built: torch and torchvision take seconds to import, and a protocol is read without them.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import re
from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from virtuallab.errors import BrokenPlugin
from virtuallab.fields import setting
from virtuallab.subject.architecture import Architecture, Shape
from virtuallab.subject.architectures._modules import module_architecture
from virtuallab.subject.architectures._torchvision import torchvision

_PREFIX = "torchvision."
_SIMPLE: dict[str, Any] = {each.__name__: each for each in (int, float, bool, str)}
_OF_TASK = ("num_classes", "image_size", "input_size")
_CHOSEN = {"aux_logits": False, "init_weights": True}  # one output; no warning about the default


@functools.cache
def torchvision_architecture(name: str) -> type[Architecture]:
    """Class of the architecture of a model.

    Settings are the numbers and texts that the model's constructor takes; if a setting is None, the
    model has its own value.

    Parameters
    ----------
    name : str
        ``"torchvision.resnet50"``.

    Returns
    -------
    type

    Raises
    ------
    UnknownName
        If torchvision has no such classification model.
    """
    model, known = name.removeprefix(_PREFIX), _constructors()
    if model not in known:
        near = ", ".join(_PREFIX + each for each in _nearest(model, known))
        raise BrokenPlugin(
            "architecture",
            name,
            "torchvision has no classification model of this name. "
            f"{f'The nearest: {near}. ' if near else ''}All are listed by "
            "torchvision.models.list_models(torchvision.models).",
        )
    module, constructor = known[model]
    parameters = _parameters(constructor)
    fixed = {key: value for key, value in _CHOSEN.items() if key in parameters}
    doc = f"Argument {{}} of torchvision's {constructor.name}; null for the value of {model}."
    settings = {
        each: (_SIMPLE[kind] | None, setting(None, doc=doc.format(each), added=True))
        for each, kind in parameters.items()
        if kind in _SIMPLE and each not in (*_OF_TASK, *fixed)
    }

    def build(given: dict[str, Any], stimulus_shape: Shape, outputs: int) -> torch.nn.Module:
        chosen = {key: value for key, value in given.items() if value is not None}
        size = {"image_size": stimulus_shape[1], "input_size": stimulus_shape[1:]}
        fitted = {key: value for key, value in size.items() if key in parameters}
        config = {"weights": None, "num_classes": outputs, **fixed, **fitted, **chosen}
        network: torch.nn.Module = torchvision().models.get_model(model, **config)
        _take_channels(network, stimulus_shape[0])
        return network

    family = re.match(r"[a-z]+", model)
    assert family is not None
    return module_architecture(name, _doc(model), family[0], module, settings, build)


@functools.cache
def _constructors() -> dict[str, tuple[str, ast.ClassDef]]:
    """Return the module and the class of each model that torchvision registers, by its name."""
    spec = importlib.util.find_spec("torchvision")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    found: dict[str, tuple[str, ast.ClassDef]] = {}
    for file in sorted(Path(spec.submodule_search_locations[0], "models").glob("*.py")):
        body = ast.parse(file.read_bytes()).body
        classes = {each.name: each for each in body if isinstance(each, ast.ClassDef)}
        for each in body:
            if isinstance(each, ast.FunctionDef) and any(map(_registers, each.decorator_list)):
                assert each.returns is not None
                made = classes[ast.unparse(each.returns)]
                found[each.name] = (f"torchvision.models.{file.stem}", made)
    return found


def _registers(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "register_model"


def _parameters(constructor: ast.ClassDef) -> dict[str, str]:
    """Return the name of the type of each parameter of a constructor, or of its default."""
    [made] = (
        each
        for each in constructor.body
        if isinstance(each, ast.FunctionDef) and each.name == "__init__"
    )
    positional = made.args.args[1:]  # without self
    defaults = [*[None] * (len(positional) - len(made.args.defaults)), *made.args.defaults]
    pairs = [*zip(positional, defaults, strict=True)]
    pairs += zip(made.args.kwonlyargs, made.args.kw_defaults, strict=True)
    return {
        each.arg: ast.unparse(each.annotation)
        if each.annotation
        else type(getattr(default, "value", None)).__name__
        for each, default in pairs
    }


def _nearest(model: str, known: Iterable[str]) -> list[str]:
    """Return up to three of the known models that are most like a name.

    They are of its family, those with the nearest number first (resnet18 for resnet19). If it is of
    no family, they are parts of the name, or have similar names.
    """
    wanted = model.casefold()
    family = [each for each in known if _parts(each)[0] == _parts(wanted)[0]]
    if not family:
        return [each for each in known if each in wanted] or get_close_matches(wanted, known)

    def difference(name: str) -> tuple[int, float]:
        likeness = SequenceMatcher(None, wanted, name).ratio()
        return abs(_parts(name)[1] - _parts(wanted)[1]), -likeness

    return sorted(family, key=difference)[:3]


def _parts(model: str) -> tuple[str, int]:
    """Return the letters with which a model's name begins, and the first number in it, or 0."""
    number = re.search(r"\d+", model)
    return re.split(r"[^a-z]", model)[0], int(number[0]) if number else 0


def _take_channels(network: torch.nn.Module, channels: int) -> None:
    """Replace the first convolution if the stimuli have other channels than it takes."""
    convolution = torch.nn.Conv2d
    path, first = next((n, m) for n, m in network.named_modules() if isinstance(m, convolution))
    if first.in_channels == channels:
        return
    replaced = convolution(
        channels,
        first.out_channels,
        first.kernel_size,  # type: ignore[arg-type]
        first.stride,  # type: ignore[arg-type]
        first.padding,  # type: ignore[arg-type]
        first.dilation,  # type: ignore[arg-type]
        bias=first.bias is not None,
    )
    parent, _, name = path.rpartition(".")
    setattr(network.get_submodule(parent), name, replaced)


def _doc(model: str) -> str:
    return f"""torchvision's {model}, with random initial weights.

    The first convolution takes the channels of the stimuli. Each convolution and each dense layer
    is recorded at its output.

    References
    ----------
    torchvision {version("torchvision")}, ``torchvision.models.{model}``.
    """
