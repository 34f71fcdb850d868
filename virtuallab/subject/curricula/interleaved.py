"""Classes that take turns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import jaxtyping as jt
import numpy as np

from virtuallab.registry import CURRICULA
from virtuallab.subject.curriculum import Curriculum, Passes, members_of_classes
from virtuallab.subject.task import Images


@CURRICULA.register("interleaved")
@dataclass(frozen=True, kw_only=True)
class Interleaved(Curriculum):
    """Classes take turns: each comes once, in random order, before one comes again.

    So the numbers of images of two classes in a batch differ by two at most, and classes are
    equally frequent even where the training images are not. Each image of a class comes once before
    one of them comes again. In a shuffled order the numbers in a batch vary at random.

    References
    ----------
    Flesch et al. 2018, "Comparing continual task learning in minds and machines", for interleaved
    and blocked training.
    """

    def batches(
        self, images: Images, size: int, steps: int, stream: np.random.Generator
    ) -> Iterator[jt.Int[np.ndarray, " batch"]]:
        """Yield batches in which the classes take turns."""
        members = members_of_classes(images)
        turns, own = Passes(stream), [Passes(stream) for _ in members]
        classes = np.arange(len(members))
        while True:
            turn = turns.draw(classes, size)
            batch = np.empty(size, dtype=np.int64)
            for which in classes:
                mine = turn == which
                batch[mine] = own[which].draw(members[which], int(mine.sum()))
            yield batch
