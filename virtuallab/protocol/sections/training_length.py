"""How long subjects train, and when they are visited."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from virtuallab.protocol.messages.explain import Place
from virtuallab.protocol.settings.distributions import Choice, Grid, LogUniform, Uniform

if TYPE_CHECKING:
    from virtuallab.protocol.model import Protocol, Subjects


def steps(protocol: Protocol) -> int:
    """Return the steps of training, the same for every subject of a protocol."""
    return protocol.subjects.length


def visit_steps(protocol: Protocol) -> tuple[int, ...]:
    """Training steps at which every subject is preserved: ascending, the first 0."""
    visits = protocol.subjects.visits
    if isinstance(visits, tuple):
        return visits
    spread = np.linspace(0, protocol.subjects.length, visits)
    return tuple(int(step) for step in np.rint(spread))


def lengths(subjects: Subjects) -> set[int]:
    """Lengths of training that occur among the subjects, in steps; one, unless it is a fault."""
    if subjects.epochs is None:
        return {subjects.steps or 0}
    # An incomplete batch at the end of an epoch is dropped.
    return {subjects.epochs * (images // batch) for images, batch in _images_and_batches(subjects)}


def _images_and_batches(subjects: Subjects) -> set[tuple[int, int]]:
    return {
        (images, batch)
        for task in subjects.tasks
        for images in _possible(task.settings["train_images"])
        for batch in _possible(subjects.batch_size)
    }


def _possible(value: Any) -> tuple[Any, ...]:
    """Least and greatest value of a setting; the steps of an epoch lie between theirs."""
    if isinstance(value, Grid | Choice):
        return (min(value.values), max(value.values))
    if isinstance(value, Uniform | LogUniform):
        return (value.low, value.high)
    return (value,)


def duration_faults(subjects: Subjects) -> Iterator[tuple[Place, str]]:
    """Places and messages of all that cannot be about training's length and the visits."""
    if subjects.epochs is not None and subjects.steps is not None:
        yield ("steps",), "epochs is given too. Keep one of the two."
        return
    if subjects.epochs is None and subjects.steps is None:
        yield (), "missing key: epochs or steps, the length of training."
        return
    short = sorted(pair for pair in _images_and_batches(subjects) if pair[0] < pair[1])
    if short:
        images, batch = short[0]
        words = (
            f"a batch of {batch} cannot be filled: there are {images} training images. Lower it."
        )
        yield ("batch_size",), words
        return
    occurring = sorted(lengths(subjects))
    if len(occurring) > 1:
        words = (
            f"{subjects.epochs} epochs are {occurring[0]} to {occurring[-1]} steps, depending on "
            "batch size and training images, and all subjects are visited at the same steps. "
            "Give steps instead."
        )
        yield ("epochs",), words
        return
    yield from _visit_faults(subjects, occurring[0])


def _visit_faults(subjects: Subjects, length: int) -> Iterator[tuple[Place, str]]:
    visits = subjects.visits
    end = f"{length} steps" + ("" if subjects.epochs is None else f", {subjects.epochs} epochs")
    if isinstance(visits, int):
        if visits > length + 1:
            words = f"{visits} visits do not fit into training ({end}). At most {length + 1} do."
            yield ("visits",), words
        return
    if visits[0] != 0:
        words = f"the first visit is at step 0, before learning; found {visits[0]}. Put 0 first."
        yield ("visits", 0), words
    for index, (before, step) in enumerate(itertools.pairwise(visits), start=1):
        if step <= before:
            yield ("visits", index), f"visits ascend; found {step} after {before}."
    for index, step in enumerate(visits):
        if step > length:
            yield ("visits", index), f"step {step} is after the end of training ({end})."
            return
