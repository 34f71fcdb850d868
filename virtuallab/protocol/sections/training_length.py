"""Length of training, and the steps of the visits."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from virtuallab.protocol.messages.places import Place
from virtuallab.text import count_noun


@dataclass(frozen=True)
class TrainingLength:
    """Length of training, as the section ``subjects`` gives it.

    Parameters
    ----------
    epochs, steps : int or None
        One of them has to be given.
    visits : int or tuple of int
        Number of visits, or their steps.
    images : tuple of int
        Least and greatest number of training images of each task.
    batches : tuple of int
        Least and greatest batch size.
    """

    epochs: int | None
    steps: int | None
    visits: int | tuple[int, ...]
    images: tuple[int, ...]
    batches: tuple[int, ...]

    @property
    def lengths(self) -> tuple[int, ...]:
        """Lengths of the subjects' training in steps, ascending; more than one is a fault."""
        if self.epochs is None:
            return (self.steps or 0,)
        # An incomplete batch at the end of an epoch is dropped.
        pairs = itertools.product(self.images, self.batches)
        return tuple(sorted({self.epochs * (images // batch) for images, batch in pairs}))

    @property
    def visit_steps(self) -> tuple[int, ...]:
        """Steps at which every subject is preserved: ascending, the first 0."""
        if isinstance(self.visits, tuple):
            return self.visits
        spread = np.linspace(0, self.lengths[0], self.visits)
        return tuple(int(step) for step in np.rint(spread))

    def faults(self) -> Iterator[tuple[Place, str]]:
        """Yield place and message of each fault of the length and the visits."""
        if self.epochs is not None and self.steps is not None:
            yield ("steps",), "epochs is given too. Keep one of the two."
            return
        if self.epochs is None and self.steps is None:
            yield (), "missing key: epochs or steps, the length of training."
            return
        for images, batch in sorted(itertools.product(self.images, self.batches)):
            if images < batch:
                words = f"a batch of {batch} cannot be filled: there are {images} training images."
                yield ("batch_size",), f"{words} Lower it."
                return
        lengths = self.lengths
        if len(lengths) > 1:
            epochs = "1 epoch is" if self.epochs == 1 else f"{self.epochs} epochs are"
            words = (
                f"{epochs} {lengths[0]} to {lengths[-1]} steps, depending on "
                "batch size and training images, and all subjects are visited at the same steps. "
                "Give steps instead."
            )
            yield ("epochs",), words
            return
        yield from self._visit_faults(lengths[0])

    def _visit_faults(self, length: int) -> Iterator[tuple[Place, str]]:
        visits = self.visits
        end = count_noun(length, "step")
        if self.epochs is not None:
            end += f", {count_noun(self.epochs, 'epoch')}"
        if isinstance(visits, int):
            if visits > length + 1:
                words = (
                    f"{visits} visits do not fit into training ({end}). At most {length + 1} do."
                )
                yield ("visits",), words
            return
        if visits[0] != 0:
            words = "the first visit is at step 0, before learning; found"
            yield ("visits", 0), f"{words} {visits[0]}. Put 0 first."
        for index, (before, step) in enumerate(itertools.pairwise(visits), start=1):
            if step <= before:
                yield ("visits", index), f"visits ascend; found {step} after {before}."
        for index, step in enumerate(visits):
            if step > length:
                yield ("visits", index), f"step {step} is after the end of training ({end})."
                return
