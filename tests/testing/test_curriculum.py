"""Every curriculum passes its conformance check, and the check names what a curriculum breaks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from virtuallab.registry import CURRICULA, TASKS
from virtuallab.subject.curriculum import Curriculum
from virtuallab.subject.task import Images
from virtuallab.testing import check_curriculum

pytestmark = pytest.mark.usefixtures("own_random_streams")


@pytest.mark.parametrize("name", list(CURRICULA))
def test_a_curriculum_of_ours_passes(name: str) -> None:
    check_curriculum(name)


@dataclass(frozen=True, kw_only=True)
class WithReplacement(Curriculum):
    name: ClassVar[str] = "with_replacement"

    def batches(
        self, images: Images, size: int, steps: int, stream: np.random.Generator
    ) -> Iterator[np.ndarray]:
        while True:
            yield self.made(stream.integers(len(images.labels), size=size), images)

    def made(self, batch: np.ndarray, images: Images) -> Any:
        return batch


class Ending(WithReplacement):
    def batches(self, images: Images, size: int, steps: int, stream: Any) -> Iterator[np.ndarray]:
        for _ in range(steps):
            yield stream.integers(len(images.labels), size=size)


class Fixed(WithReplacement):
    def batches(self, images: Images, size: int, steps: int, stream: Any) -> Iterator[np.ndarray]:
        while True:
            yield np.arange(size)


class Global(WithReplacement):
    def batches(self, images: Images, size: int, steps: int, stream: Any) -> Iterator[np.ndarray]:
        while True:
            yield np.random.randint(len(images.labels), size=size)  # noqa: NPY002


class Beyond(WithReplacement):
    def made(self, batch: np.ndarray, images: Images) -> Any:
        return batch + len(images.labels)


class Listed(WithReplacement):
    def made(self, batch: np.ndarray, images: Images) -> Any:
        return batch.tolist()


class Short(WithReplacement):
    def made(self, batch: np.ndarray, images: Images) -> Any:
        return batch[1:]


class Dimming(WithReplacement):
    def made(self, batch: np.ndarray, images: Images) -> Any:
        images.stimuli[batch[0]] *= 0.5
        return batch


def test_one_from_outside_passes() -> None:
    check_curriculum(WithReplacement)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (Ending, r"ends after 1 batches of 1, with 1 training steps"),
        (Fixed, "gives two subjects the same batches"),
        (Global, "gives other batches for the same random stream"),
        (Beyond, "yields index .*; there are 200 training images"),
        (Listed, "yields a list of shape None, not 1 whole numbers"),
        (Short, r"yields a ndarray of shape \(0,\), not 1 whole numbers"),
    ],
)
def test_what_a_curriculum_breaks_is_named(wrong: type[Curriculum], message: str) -> None:
    with pytest.raises(AssertionError, match=f"curriculum 'with_replacement' {message}"):
        check_curriculum(wrong)


def test_changed_images_are_named() -> None:
    task = TASKS["digits"](train_images=201)  # not that of other tests, which share its images
    with pytest.raises(AssertionError, match="changes the training images in place"):
        check_curriculum(Dimming, task)
