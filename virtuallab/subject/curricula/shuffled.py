"""All images in random order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import jaxtyping as jt
import numpy as np

from virtuallab.registry import CURRICULA
from virtuallab.subject.curriculum import Curriculum
from virtuallab.subject.task import Images


@CURRICULA.register("shuffled")
@dataclass(frozen=True, kw_only=True)
class Shuffled(Curriculum):
    """All images, in a random order that is drawn anew in each epoch.

    Images that do not fill a batch at the end of an epoch are dropped.
    """

    def batches(
        self, images: Images, size: int, steps: int, stream: np.random.Generator
    ) -> Iterator[jt.Int[np.ndarray, " batch"]]:
        """Yield consecutive parts of random orders."""
        count = len(images.labels)
        while True:
            order = stream.permutation(count)
            for first in range(0, count - size + 1, size):
                yield order[first : first + size]
