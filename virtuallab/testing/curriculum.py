"""Conformance check of curricula."""

from __future__ import annotations

import itertools

import numpy as np

from virtuallab.registry import CURRICULA, TASKS
from virtuallab.subject.curriculum import Curriculum
from virtuallab.subject.task import Images, Task
from virtuallab.testing.plugin import broken, global_state, plugin_instance

_SIZES = (1, 16, 150)  # the last is more than the images of a class
_STEPS = (1, 40)
_FURTHER = 5  # batches beyond the training steps


def check_curriculum(
    curriculum: str | type[Curriculum] | Curriculum, task: Task | None = None
) -> None:
    """Check that a curriculum chooses training images for any batch size and number of steps.

    Batches are arrays (batch,) of whole numbers, each the index of a training image. They do not
    end, since trial steps may go beyond the training steps. They depend on the subject's random
    stream alone: the same stream gives the same batches, and two subjects get different ones.
    Training images are not changed.

    Parameters
    ----------
    curriculum : str, type or Curriculum
        A registered name, a class (both with default settings), or an instance.
    task : Task, optional
        Whose images are chosen; 200 images of the digits if not given.

    Raises
    ------
    AssertionError
        With what the curriculum breaks.
    """
    made: Curriculum = plugin_instance(curriculum, CURRICULA, Curriculum)
    task = task or TASKS["digits"](train_images=200)
    if message := made.incompatibility(task, max(_STEPS)):
        broken("curriculum", made, f"cannot be used with task {task.name!r}: {message}")
    images = task.train()
    before = global_state(), images.stimuli.clone(), images.labels.clone()
    for size, steps in itertools.product(_SIZES, _STEPS):
        first = _batches(made, images, size, steps, seed=1)
        again = _batches(made, images, size, steps, seed=1)
        if not np.array_equal(first, again):
            broken("curriculum", made, "gives other batches for the same random stream")
        if size > 1 and np.array_equal(first, _batches(made, images, size, steps, seed=2)):
            broken(
                "curriculum",
                made,
                "gives two subjects the same batches; draw from the stream that is given",
            )
    if global_state() != before[0]:
        broken("curriculum", made, "draws from a global random stream; use the one that is given")
    if not (images.stimuli.equal(before[1]) and images.labels.equal(before[2])):
        broken("curriculum", made, "changes the training images in place")


def _batches(
    curriculum: Curriculum, images: Images, size: int, steps: int, seed: int
) -> np.ndarray:
    """Batches (step, batch) of all training steps and some more."""
    stream = np.random.default_rng(seed)
    found: list[np.ndarray] = []
    for batch in itertools.islice(
        curriculum.batches(images, size, steps, stream), steps + _FURTHER
    ):
        whole = isinstance(batch, np.ndarray) and np.issubdtype(batch.dtype, np.integer)
        if not whole or batch.shape != (size,):
            shape = getattr(batch, "shape", None)
            broken(
                "curriculum",
                curriculum,
                f"yields a {type(batch).__name__} of shape {shape}, not {size} whole numbers",
            )
        if batch.min() < 0 or batch.max() >= len(images.labels):
            broken(
                "curriculum",
                curriculum,
                f"yields index {batch.min() if batch.min() < 0 else batch.max()}; there are "
                f"{len(images.labels)} training images",
            )
        found.append(batch.copy())
    if len(found) < steps + _FURTHER:
        broken(
            "curriculum",
            curriculum,
            f"ends after {len(found)} batches of {size}, with {steps} training steps; more may be "
            "asked for",
        )
    return np.stack(found)
