"""Natural colour images of a hundred classes, from a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from virtuallab.fields import Count, setting
from virtuallab.registry import TASKS
from virtuallab.subject.tasks._published_splits import PublishedSplits


@TASKS.register("cifar100")
@dataclass(frozen=True, kw_only=True)
class Cifar100(PublishedSplits):
    """Natural images: 60,000 colour images of 32 x 32, a hundred classes; needs its files.

    Training images are drawn from the training split, validation and probe images from the test
    split.

    References
    ----------
    Krizhevsky 2009, "Learning multiple layers of features from tiny images", technical report,
    University of Toronto.
    """

    classes: ClassVar[int] = 100
    stimulus_shape: ClassVar[tuple[int, int, int]] = (3, 32, 32)
    contents: ClassVar[str] = (
        "Set 'path' to a folder in which cifar-100-python.tar.gz "
        "(https://www.cs.toronto.edu/~kriz/cifar.html) is unpacked, so that it contains "
        "cifar-100-python."
    )

    train_images: Count = setting(10_000, unit="images", doc="Training images.")
    validation_images: Count = setting(1000, unit="images", doc="Validation images.")
    probe_images: Count = setting(
        100, unit="images", doc="Images that are shown while probes record."
    )

    @classmethod
    def files(cls, path: Path) -> Sequence[Path]:
        """Both splits, and the names of the classes."""
        return [path / "cifar-100-python" / name for name in ("train", "test", "meta")]

    def split(self, datasets: Any, path: Path, *, train: bool) -> tuple[np.ndarray, Any]:
        """Images and fine labels of a split."""
        found = datasets.CIFAR100(path, train=train, download=False)
        return found.data.transpose(0, 3, 1, 2), found.targets
