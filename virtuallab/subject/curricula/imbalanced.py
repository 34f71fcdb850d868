"""Classes that are frequent or rare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import jaxtyping as jt
import numpy as np
from annotated_types import Ge

from virtuallab.fields import setting
from virtuallab.registry import CURRICULA
from virtuallab.subject.curriculum import Curriculum, Passes, members_of_classes
from virtuallab.subject.task import Images, Task


@CURRICULA.register("imbalanced")
@dataclass(frozen=True, kw_only=True)
class Imbalanced(Curriculum):
    r"""Numbers of images fall geometrically from the most frequent class to the rarest.

    .. math:: n_k = n\, r^{-k / (K - 1)}, \qquad k = 0, \dots, K - 1

    of the n images of each of K classes are used during all of training, one image at least. Which
    class is rare, and which of its images are used, is drawn for each subject. Each of these images
    comes once, in random order, before one comes again.

    References
    ----------
    Cui et al. 2019, "Class-Balanced Loss Based on Effective Number of Samples", for image sets with
    such numbers.
    """

    ratio: Annotated[float, Ge(1)] = setting(
        10.0, doc="Images of the most frequent class, divided by those of the rarest."
    )

    def incompatibility(self, task: Task, steps: int) -> str | None:
        """Return why the task has too few images for the ratio."""
        if self.ratio > task.train_images:
            return (
                f"a ratio of {self.ratio:g}, and task {task.name!r} has {task.train_images} "
                "training images: no class can be so much more frequent than another. Lower ratio."
            )
        return None

    def batches(
        self, images: Images, size: int, steps: int, stream: np.random.Generator
    ) -> Iterator[jt.Int[np.ndarray, " batch"]]:
        """Yield batches of the images that are used."""
        members = members_of_classes(images)
        ranks = stream.permutation(len(members)) / max(len(members) - 1, 1)
        used = np.concatenate(
            [
                stream.permutation(own)[: max(round(len(own) * self.ratio**-rank), 1)]
                for own, rank in zip(members, ranks.tolist(), strict=True)
            ]
        )
        passes = Passes(stream)
        while True:
            yield passes.draw(used, size)
