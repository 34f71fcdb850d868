"""Every task passes its conformance check, and the check names what a task breaks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count
from typing import ClassVar

import numpy as np
import pytest

from tests.subject.tasks.examples import Example
from virtuallab.fields import Count, setting
from virtuallab.registry import TASKS
from virtuallab.subject.task import Images, Task
from virtuallab.testing import check_task

CALLS = count()

pytestmark = pytest.mark.usefixtures("own_random_streams")


@pytest.mark.parametrize("name", list(TASKS))
def test_a_task_of_ours_passes(name: str, example: Example) -> None:
    check_task(example(name))


@dataclass(frozen=True, kw_only=True)
class Gratings(Task):
    """Gratings of four orientations, in noise."""

    name: ClassVar[str] = "gratings"
    classes: ClassVar[int] = 4
    stimulus_shape: ClassVar[tuple[int, int, int]] = (1, 6, 6)

    train_images: Count = setting(60, unit="images", doc="Images to learn from.")
    validation_images: Count = setting(20, unit="images", doc="Images that tell how well.")
    probe_images: Count = setting(20, unit="images", doc="Images shown while probes record.")

    def images(self) -> tuple[np.ndarray, np.ndarray]:
        labels = np.arange(120) % self.classes
        x, y = np.meshgrid(np.arange(6), np.arange(6))
        angle = np.pi * labels[:, None, None] / self.classes
        waves = np.sin(x * np.cos(angle) + y * np.sin(angle))
        noise = np.random.default_rng(5).standard_normal(waves.shape)
        return (waves + 0.1 * noise)[:, None].astype(np.float32), labels


class Double(Gratings):
    def images(self) -> tuple[np.ndarray, np.ndarray]:
        stimuli, labels = super().images()
        return stimuli.astype(np.float64), labels


class Flat(Gratings):
    def images(self) -> tuple[np.ndarray, np.ndarray]:
        stimuli, labels = super().images()
        return stimuli[:, 0], labels


class Holed(Gratings):
    def images(self) -> tuple[np.ndarray, np.ndarray]:
        stimuli, labels = super().images()
        stimuli[3, 0, 0, 0] = np.nan
        return stimuli, labels


class FromOne(Gratings):
    def images(self) -> tuple[np.ndarray, np.ndarray]:
        stimuli, labels = super().images()
        return stimuli, labels + 1


class Restless(Gratings):
    def images(self) -> tuple[np.ndarray, np.ndarray]:
        stimuli, labels = super().images()
        return stimuli + np.float32(next(CALLS)), labels


class Drawing(Gratings):
    def images(self) -> tuple[np.ndarray, np.ndarray]:
        np.random.rand()  # noqa: NPY002
        return super().images()


class Repeated(Gratings):
    """Every image is there twice."""

    def images(self) -> tuple[np.ndarray, np.ndarray]:
        stimuli, labels = super().images()
        return np.concatenate([stimuli[:60]] * 2), np.concatenate([labels[:60]] * 2)


class Small(Gratings):
    def images(self) -> tuple[np.ndarray, np.ndarray]:
        stimuli, labels = super().images()
        return stimuli[:40], labels[:40]


class Overlapping(Gratings):
    """Shows probes the images that are learned."""

    def stimuli(self) -> Images:
        train = self.train()
        return Images(train.stimuli[: self.probe_images], train.labels[: self.probe_images])


class Unscaled(Gratings):
    def train(self) -> Images:
        images = super().train()
        return replace(images, stimuli=images.stimuli * 3)


class Uneven(Gratings):
    def validation(self) -> Images:
        images = super().validation()
        return Images(images.stimuli[:-1], images.labels[:-1])


class Certain(Gratings):
    chance = 0.5


@dataclass(frozen=True, kw_only=True)
class Listed(Gratings):
    orientations: list[float] = field(default_factory=list)


def test_one_from_outside_passes() -> None:
    check_task(Gratings)
    check_task(Gratings(train_images=40))


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (Double, "gives images of type float64, not an array of float32"),
        (Flat, r"gives images of shape \(120, 6, 6\)"),
        (Holed, "gives images that are not finite"),
        (FromOne, "gives labels other than 0 to 3"),
        (Restless, "gives other images when it is called again"),
        (Drawing, "draws from a global random stream"),
        (Repeated, r"has the same image in train\(\) and validation\(\)"),
        (Small, "cannot be split: task 'gratings' has 40 images"),
        (Overlapping, r"has the same image in train\(\) and stimuli\(\)"),
        (Unscaled, "standard deviation 3, not 0 and 1"),
        (Uneven, r"returns stimuli of shape \(19, 1, 6, 6\) .* from validation\(\)"),
        (Certain, "has the chance 0.5 with 4 classes"),
    ],
)
def test_what_a_task_breaks_is_named(broken: type[Task], message: str) -> None:
    with pytest.raises(AssertionError, match=f"task 'gratings' .*{message}"):
        check_task(broken)


def test_a_task_without_its_classes_or_its_files_is_named() -> None:
    class Unshaped(Task):
        name = "unshaped"

        def images(self) -> tuple[np.ndarray, np.ndarray]:
            raise NotImplementedError

    with pytest.raises(AssertionError, match=r"^Unshaped does not define classes, stimulus_shape"):
        check_task(Unshaped)
    with pytest.raises(AssertionError, match=r"settings without a default \(path\); check an inst"):
        check_task("images")


def test_a_setting_that_cannot_be_hashed_is_named() -> None:
    with pytest.raises(AssertionError, match=r"Listed cannot be hashed .*numbers, texts or tuples"):
        check_task(Listed)
