"""Classes that are learned one after the other."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import jaxtyping as jt
import numpy as np

from virtuallab.fields import Count, NonNegativeInt, setting
from virtuallab.registry import CURRICULA
from virtuallab.subject.curriculum import Curriculum, Passes, members_of_classes
from virtuallab.subject.task import Images, Task
from virtuallab.text import count_noun


@CURRICULA.register("blocked")
@dataclass(frozen=True, kw_only=True)
class Blocked(Curriculum):
    """Classes in blocks: during each block only images of some classes are learned.

    All blocks last equally long. With 10 classes, 2 in a block and one cycle, each block is a fifth
    of training. Within a block, each image of its classes comes once, in random order, before one
    comes again.

    References
    ----------
    Flesch et al. 2018, "Comparing continual task learning in minds and machines", for interleaved
    and blocked training.
    """

    classes_per_block: Count = setting(
        2, doc="Classes in each block; the last block has the rest, if they cannot be divided."
    )
    cycles: Count = setting(1, doc="How many times the blocks follow one another in training.")
    class_order: tuple[NonNegativeInt, ...] = setting(
        (), doc="Classes in the order in which they are learned; if empty, drawn for each subject."
    )

    def incompatibility(self, task: Task, steps: int) -> str | None:
        """Return why the task has too few or other classes, or training too few steps."""
        if self.classes_per_block > task.classes:
            return (
                f"{self.classes_per_block} classes per block, and task {task.name!r} has "
                f"{task.classes} classes. Lower classes_per_block."
            )
        if self.class_order and sorted(self.class_order) != list(range(task.classes)):
            return (
                f"class_order has to name each class of task {task.name!r} once, from 0 to "
                f"{task.classes - 1}; found {', '.join(map(str, self.class_order))}."
            )
        blocks = math.ceil(task.classes / self.classes_per_block) * self.cycles
        if blocks > steps:
            return (
                f"{count_noun(blocks, 'block')} in {count_noun(self.cycles, 'cycle')} do not fit "
                f"into {count_noun(steps, 'training step')}: some classes would not be learned. "
                "Lower cycles, raise classes_per_block, or train for longer."
            )
        return None

    def batches(
        self, images: Images, size: int, steps: int, stream: np.random.Generator
    ) -> Iterator[jt.Int[np.ndarray, " batch"]]:
        """Yield batches of the classes of one block after the other."""
        members = members_of_classes(images)
        order = self.class_order or stream.permutation(len(members)).tolist()
        firsts = range(0, len(order), self.classes_per_block)
        blocks = [
            np.concatenate([members[each] for each in order[first : first + firsts.step]])
            for first in firsts
        ] * self.cycles
        current, passes = -1, Passes(stream)
        for step in itertools.count():
            block = min(step * len(blocks) // steps, len(blocks) - 1)
            if block != current:
                current, passes = block, Passes(stream)
            yield passes.draw(blocks[block], size)
