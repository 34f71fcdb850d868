"""Published networks at full width and full image size train through the trainer itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from virtuallab.registry import ARCHITECTURES, OPTIMIZERS, RULES
from virtuallab.subject.network.initialization import template_network
from virtuallab.subject.network.parameter_layout import parameter_layout
from virtuallab.subject.subject import Cohort, Subject
from virtuallab.subject.task import Task
from virtuallab.subject.training.outcome import Visit
from virtuallab.subject.training.trainer import train

RESNET = {"width": 64, "stem": "published"}
ALEXNET = {"width": 96, "stem": "published", "initial_weights": "published"}
KNET = {"kernel": 5, "pooling": 3, "initial_weights": "published"}
V2 = {"batch_norm_momentum": 0.003}
LRN = {"normalisation": "local_response"}


@dataclass(frozen=True, kw_only=True)
class Noise(Task):
    """Random colour images of two classes."""

    name: ClassVar[str] = "noise"
    classes: ClassVar[int] = 2
    stimulus_shape: ClassVar[tuple[int, int, int]] = (3, 224, 224)

    def images(self) -> tuple[np.ndarray, np.ndarray]:
        count = self.train_images + self.validation_images + self.probe_images
        stimuli = np.random.default_rng(0).normal(size=(count, *self.stimulus_shape))
        return stimuli.astype(np.float32), np.arange(count) % 2


class SmallNoise(Noise):
    """Random images of the size of CIFAR-10."""

    stimulus_shape: ClassVar[tuple[int, int, int]] = (3, 32, 32)


def alexnet() -> list[tuple[int, ...]]:
    """Shape of each kernel: 224 pixels become 54, 27, 14 and 7."""
    convolutions = [(96, 3, 11, 11), (256, 96, 5, 5), (384, 256, 3, 3), (384, 384, 4, 4)]
    dense = [(4096, 256 * 7 * 7), (4096, 4096), (2, 4096)]
    return [*convolutions, (256, 384, 3, 3), *dense]


def resnet(*blocks: int) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = [(64, 3, 7, 7)]
    before = 64
    for after, count in zip((64, 128, 256, 512), blocks, strict=True):
        found += [(after, before, 1, 1), (after, before, 3, 3), (after, after, 3, 3)]
        found += [(after, after, 3, 3)] * 2 * (count - 1)
        before = after
    return [*found, (2, 512)]


def knet(*channels: int) -> list[tuple[int, ...]]:
    """Shape of each kernel: each layer halves the 32 pixels."""
    pixels = 32 // 2 ** len(channels)
    kernels = [(b, a, 5, 5) for a, b in zip((3, *channels), channels, strict=False)]
    return [*kernels, (2, channels[-1] * pixels**2)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "settings", "task", "kernels"),
    [
        ("alexnet", ALEXNET, Noise, alexnet()),
        ("alexnet", ALEXNET | LRN, Noise, alexnet()),
        ("resnet18", RESNET, Noise, resnet(2, 2, 2, 2)),
        ("resnet18v2", RESNET | V2, Noise, resnet(2, 2, 2, 2)),
        ("resnet34", RESNET, Noise, resnet(3, 4, 6, 3)),
        ("resnet34v2", RESNET | V2, Noise, resnet(3, 4, 6, 3)),
        ("knet4", KNET | {"channels": (32, 32, 64)}, SmallNoise, knet(32, 32, 64)),
        ("knet4", KNET | LRN | {"channels": (32, 32, 64)}, SmallNoise, knet(32, 32, 64)),
        ("knet5", KNET | {"channels": (32, 32, 64, 128)}, SmallNoise, knet(32, 32, 64, 128)),
        ("knet5", KNET | LRN | {"channels": (32, 32, 64, 128)}, SmallNoise, knet(32, 32, 64, 128)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_published_network_trains_two_steps_at_full_size(
    name: str, settings: dict[str, Any], task: type[Task], kernels: list[tuple[int, ...]]
) -> None:
    architecture = ARCHITECTURES[name](**settings)
    shown = task(train_images=4, validation_images=2, probe_images=2)
    one = Subject(
        architecture=architecture,
        task=shown,
        rule=RULES["backprop"](),
        optimizer=OPTIMIZERS["sgd"](learning_rate=0.01, momentum=0.9),
        label="sgdm",
        batch_size=2,
        steps=2,
        replicate=0,
        seed=1,
    )
    visits: list[Visit] = []
    outcome = train(Cohort((one,)), [0, 2], visits.append)
    assert outcome.diverged_at.tolist() == [-1]
    layout = parameter_layout(architecture, shown)
    shapes = {entry.name: entry.shape for entry in layout.entries}
    assert [shapes[kernel] for kernel in layout.kernels] == kernels
    before, after = (visit.state[0] for visit in visits)
    assert np.isfinite(after).all()
    for layer in layout.layers:
        place = layout.weights(layer)
        assert (after[place] != before[place]).any(), f"{layer} does not learn"
    for cached in (template_network, parameter_layout):
        cached.cache_clear()  # hundreds of megabytes
