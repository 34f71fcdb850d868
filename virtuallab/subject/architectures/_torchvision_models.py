"""Classification models of torchvision as architectures, by their names there."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Sequence
from difflib import SequenceMatcher, get_close_matches
from typing import Any, get_type_hints

from torch import nn

from virtuallab.errors import BrokenPlugin
from virtuallab.fields import setting
from virtuallab.subject.architecture import Architecture, Shape
from virtuallab.subject.architectures._modules import arguments_of, module_architecture
from virtuallab.subject.architectures._torchvision import torchvision

_PREFIX = "torchvision."
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
    models = torchvision().models
    model, known = name.removeprefix(_PREFIX), models.list_models(module=models)
    if model not in known:
        near = ", ".join(_PREFIX + each for each in _nearest(model, known))
        raise BrokenPlugin(
            "architecture",
            name,
            "torchvision has no classification model of this name. "
            f"{f'The nearest: {near}. ' if near else ''}All are listed by "
            "torchvision.models.list_models(torchvision.models).",
        )
    constructor = get_type_hints(models.get_model_builder(model))["return"]
    parameters = inspect.signature(constructor).parameters
    fixed = {key: value for key, value in _CHOSEN.items() if key in parameters}
    doc = f"Argument {{}} of torchvision's {constructor.__name__}; null for the value of {model}."
    settings = {
        each.name: (each.kind | None, setting(None, doc=doc.format(each.name), added=True))
        for each in arguments_of(constructor)
        if each.kind in (int, float, bool, str) and each.name not in (*_OF_TASK, *fixed)
    }

    def build(given: dict[str, Any], stimulus_shape: Shape, outputs: int) -> nn.Module:
        chosen = {key: value for key, value in given.items() if value is not None}
        size = {"image_size": stimulus_shape[1], "input_size": stimulus_shape[1:]}
        fitted = {key: value for key, value in size.items() if key in parameters}
        config = {"weights": None, "num_classes": outputs, **fixed, **fitted, **chosen}
        network: nn.Module = models.get_model(model, **config)
        _take_channels(network, stimulus_shape[0])
        return network

    family = re.match(r"[a-z]+", model)
    assert family is not None
    return module_architecture(
        name, _doc(model), family[0], constructor.__module__, settings, build
    )


def _nearest(model: str, known: Sequence[str]) -> list[str]:
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


def _take_channels(network: nn.Module, channels: int) -> None:
    """Replace the first convolution if the stimuli have other channels than it takes."""
    path, first = next((n, m) for n, m in network.named_modules() if isinstance(m, nn.Conv2d))
    if first.in_channels == channels:
        return
    replaced = nn.Conv2d(
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
    torchvision {torchvision().__version__}, ``torchvision.models.{model}``.
    """
