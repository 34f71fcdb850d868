"""House numbers in colour, from a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from virtuallab.registry import TASKS
from virtuallab.subject.tasks._published_splits import PublishedSplits


@TASKS.register("svhn")
@dataclass(frozen=True, kw_only=True)
class Svhn(PublishedSplits):
    """Street View House Numbers: 99,289 colour images of 32 x 32, ten digits; needs its files.

    Training images are drawn from the training split, validation and probe images from the test
    split.

    References
    ----------
    Netzer et al. 2011, "Reading digits in natural images with unsupervised feature learning", NIPS
    Workshop on Deep Learning and Unsupervised Feature Learning.
    """

    classes: ClassVar[int] = 10
    stimulus_shape: ClassVar[tuple[int, int, int]] = (3, 32, 32)
    contents: ClassVar[str] = (
        "Set 'path' to a folder with train_32x32.mat and test_32x32.mat of "
        "http://ufldl.stanford.edu/housenumbers."
    )

    @classmethod
    def files(cls, path: Path) -> Sequence[Path]:
        """Both splits."""
        return [path / "train_32x32.mat", path / "test_32x32.mat"]

    def split(self, datasets: Any, path: Path, *, train: bool) -> tuple[np.ndarray, Any]:
        """Images and labels of a split; label 0 is the digit 0."""
        found = datasets.SVHN(path, split="train" if train else "test", download=False)
        return found.data, found.labels
