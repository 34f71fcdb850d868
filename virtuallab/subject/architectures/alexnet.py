"""AlexNet, with or without local response normalisation."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch

from virtuallab.errors import UserError
from virtuallab.fields import Count, Momentum, setting
from virtuallab.registry import ARCHITECTURES
from virtuallab.subject.architecture import Architecture, Shape, Site
from virtuallab.subject.architectures._layers import (
    Stem,
    draw_truncated_normal,
    halved,
    local_response_norm,
    pool,
)

_PUBLISHED_WIDTH = 96
_KERNELS = {"conv1": 11, "conv2": 5, "conv3": 3, "conv4": 4, "conv5": 3}
_CHANNELS = {"conv1": 96, "conv2": 256, "conv3": 384, "conv4": 384, "conv5": 256}
_UNITS = 4096  # of each hidden dense layer
_POOLED = ("conv1", "conv2", "conv5")
_NORMALISED = ("conv1", "conv2")
_DENSE_SD, _DENSE_BIAS = 0.01, 0.1


@ARCHITECTURES.register("alexnet")
@dataclass(frozen=True, kw_only=True)
class AlexNet(Architecture):
    """AlexNet: 5 convolutions and 3 dense layers, without batch normalisation.

    Hidden layers are recorded after their ReLU, before local response normalisation and pooling, as
    published. The published size is ``width: 96``, ``stem: published`` and ``initial_weights:
    published``; AlexNet-LRN has ``normalisation: local_response`` as well. The kernel of ``conv4``
    is 4 x 4, as in the released code.

    References
    ----------
    Krizhevsky et al. 2012, "ImageNet Classification with Deep Convolutional Neural Networks".
    He et al. 2015, "Delving Deep into Rectifiers".
    Nayebi et al. 2020, "Identifying Learning Rules From Neural Network Observables".
    """

    family: ClassVar[str] = "alexnet"

    width: Count = setting(
        12,
        unit="channels",
        doc="Channels of the first convolution; those of the others and the units of the dense "
        "layers are in proportion. Published: 96.",
    )
    stem: Stem = setting(
        "small",
        doc="First layer: 'published', 11 x 11 with stride 4 and no padding, or 'small', 3 x 3 "
        "with stride 1, for images of about 32 pixels and below.",
    )
    normalisation: Literal["none", "local_response"] = setting(
        "none",
        doc="Normalisation after the first two convolutions: 'none' or 'local_response'.",
    )
    dropout: Momentum = setting(
        0.5,
        doc="Probability that a unit of a hidden dense layer is silent in training. Published: "
        "0.5.",
    )
    initial_weights: Literal["he", "published"] = setting(
        "he",
        doc="Distribution of the initial weights: 'he', normal with a variance of two divided by "
        "the inputs of a unit (He et al. 2015), by which small networks learn, or the 'published' "
        "one, with which they stay near a saddle for longer than a short training.",
    )

    def build(self, stimulus_shape: Shape, outputs: int) -> torch.nn.Module:
        """Network of convolutions with pooling, and dense layers with dropout."""
        before, *pixels = stimulus_shape
        size = pixels[0], pixels[1]
        layers: OrderedDict[str, torch.nn.Module] = OrderedDict()
        for number, (name, kernel) in enumerate(_KERNELS.items(), start=1):
            after = self._scaled(_CHANNELS[name])
            if name == "conv1" and self.stem == "published":
                layers[name] = torch.nn.Conv2d(before, after, kernel, stride=4)
                size = self._size_after_first(kernel, size)
            else:
                kernel = 3 if name == "conv1" else kernel
                if kernel % 2 == 0:  # one pixel more at the end, for which torch warns in 'same'
                    before_and_after = kernel // 2 - 1, kernel // 2
                    layers[f"pad{number}"] = torch.nn.ZeroPad2d(2 * before_and_after)
                padding = kernel // 2 if kernel % 2 else 0
                layers[name] = torch.nn.Conv2d(before, after, kernel, padding=padding)
            layers[f"relu{number}"] = torch.nn.ReLU()
            if self.normalisation == "local_response" and name in _NORMALISED:
                layers[f"norm{number}"] = local_response_norm(radius=5, alpha=1e-4)
            if name in _POOLED:
                layers[f"pool{number}"] = pool(torch.nn.MaxPool2d, 3, size)
                size = halved(size)
            before = after
        layers["flatten"] = torch.nn.Flatten()
        before *= size[0] * size[1]
        for number in (6, 7):
            layers[f"fc{number}"] = torch.nn.Linear(before, self._scaled(_UNITS))
            layers[f"relu{number}"] = torch.nn.ReLU()
            layers[f"dropout{number}"] = torch.nn.Dropout(self.dropout)
            before = self._scaled(_UNITS)
        layers["fc8"] = torch.nn.Linear(before, outputs)
        _draw(layers, published=self.initial_weights == "published")
        return torch.nn.Sequential(layers)

    def sites(self, module: torch.nn.Module) -> dict[str, Site]:
        """Sites of each layer, after its ReLU, and of the last layer."""
        hidden = {
            name: Site(name, f"relu{number}")
            for number, name in enumerate([*_KERNELS, "fc6", "fc7"], start=1)
        }
        return {**hidden, "fc8": Site("fc8", "fc8")}

    def _scaled(self, published: int) -> int:
        """Channels or units of a layer with so many in the published network."""
        return max(1, round(published * self.width / _PUBLISHED_WIDTH))

    def _size_after_first(self, kernel: int, size: tuple[int, int]) -> tuple[int, int]:
        if min(size) < kernel:
            raise UserError(
                f"alexnet with 'stem: published' needs images of {kernel} x {kernel} pixels at "
                f"least, found {size[0]} x {size[1]}. Write 'stem: small'."
            )
        return (size[0] - kernel) // 4 + 1, (size[1] - kernel) // 4 + 1


def _draw(layers: OrderedDict[str, torch.nn.Module], *, published: bool) -> None:
    """Draw weights and set biases, as in the released code or as He et al. 2015."""
    for name, layer in layers.items():
        if not isinstance(layer, torch.nn.Conv2d | torch.nn.Linear):
            continue
        if not published:
            torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        elif isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.xavier_uniform_(layer.weight)
        else:
            draw_truncated_normal(layer.weight, _DENSE_SD)
        bias = _DENSE_BIAS if published and name in ("fc6", "fc7") else 0.0
        torch.nn.init.constant_(layer.bias, bias)  # type: ignore[arg-type]
