"""Natural colour images of ten classes, from a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from virtuallab.registry import TASKS
from virtuallab.subject.tasks._published_splits import PublishedSplits


@TASKS.register("cifar10")
@dataclass(frozen=True, kw_only=True)
class Cifar10(PublishedSplits):
    """Natural images: 60,000 colour images of 32 x 32, ten classes; needs its files.

    Training images are drawn from the training split, validation and probe images from the test
    split.

    References
    ----------
    Krizhevsky 2009, "Learning multiple layers of features from tiny images", technical report,
    University of Toronto.
    """

    classes: ClassVar[int] = 10
    stimulus_shape: ClassVar[tuple[int, int, int]] = (3, 32, 32)
    contents: ClassVar[str] = (
        "Set 'path' to a folder in which cifar-10-python.tar.gz "
        "(https://www.cs.toronto.edu/~kriz/cifar.html) is unpacked, so that it contains "
        "cifar-10-batches-py."
    )

    @classmethod
    def files(cls, path: Path) -> Sequence[Path]:
        """Batches of both splits, and the names of the classes."""
        names = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch", "batches.meta"]
        return [path / "cifar-10-batches-py" / name for name in names]

    def split(self, datasets: Any, path: Path, *, train: bool) -> tuple[np.ndarray, Any]:
        """Images and labels of a split."""
        found = datasets.CIFAR10(path, train=train, download=False)
        return found.data.transpose(0, 3, 1, 2), found.targets
