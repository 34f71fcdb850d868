from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from tests.subject.tasks.examples import Example
from virtuallab.errors import UserError
from virtuallab.registry import TASKS
from virtuallab.subject.task import Images, Task, _parts


@dataclass(frozen=True, kw_only=True)
class Stripes(Task):
    """Three classes of nine pictures each; every picture is told apart by its first pixel."""

    name = "stripes"
    classes = 3
    stimulus_shape = (1, 2, 2)

    train_images: int = 12
    validation_images: int = 6
    probe_images: int = 6
    contrast: float = 1.0

    def images(self) -> tuple[np.ndarray, np.ndarray]:
        stimuli = np.zeros((27, 1, 2, 2), dtype=np.float32)
        stimuli[:, 0, 0, 0] = self.contrast * np.arange(27)
        return stimuli, np.arange(27) % 3


# Tasks that divide images of their own; others take the parts of another task.
OWN = [name for name in TASKS if TASKS[name].train is Task.train]


def parts(task: Task) -> tuple[Images, Images, Images]:
    return task.train(), task.validation(), task.stimuli()


def rows(images: Images) -> set[bytes]:
    return {stimulus.numpy().tobytes() for stimulus in images.stimuli}


@pytest.mark.parametrize("name", list(TASKS))
def test_parts_have_the_sizes_shapes_and_types_promised(name: str, example: Example) -> None:
    task = example(name)
    sizes = (task.train_images, task.validation_images, task.probe_images)
    for part, size in zip(parts(task), sizes, strict=True):
        assert part.stimuli.shape == (size, *task.stimulus_shape)
        assert part.stimuli.dtype == torch.float32
        assert part.labels.shape == (size,)
        assert part.labels.dtype == torch.int64


@pytest.mark.parametrize("name", list(TASKS))
def test_parts_share_no_image(name: str, example: Example) -> None:
    task = example(name)
    train, validation, probe = map(rows, parts(task))
    assert len(train) + len(validation) + len(probe) == len(train | validation | probe)


@pytest.mark.parametrize("name", OWN)
def test_every_part_has_the_classes_in_the_same_proportions(name: str, example: Example) -> None:
    task = example(name)
    _, labels = task.images()
    share = np.bincount(labels, minlength=task.classes) / len(labels)
    for part in parts(task):
        found = np.bincount(part.labels.numpy(), minlength=task.classes)
        assert np.abs(found - share * len(part.labels)).max() <= 1.0


@pytest.mark.parametrize("name", list(TASKS))
def test_stimuli_are_standardised_by_the_training_images(name: str, example: Example) -> None:
    train, validation, _ = parts(example(name))
    assert float(train.stimuli.double().mean()) == pytest.approx(0, abs=1e-4)
    assert float(train.stimuli.double().std(correction=0)) == pytest.approx(1, abs=1e-4)
    assert float(validation.stimuli.mean()) != 0  # by the training images, not by its own


@pytest.mark.parametrize("name", OWN)
def test_the_split_is_the_same_whenever_it_is_made(name: str, example: Example) -> None:
    task = example(
        name,
        train_images=max(50, (fewest := example(name).classes)),
        validation_images=max(20, fewest),
        probe_images=max(20, fewest),
    )
    first = parts(task)
    _parts.cache_clear()
    for old, new in zip(first, parts(task), strict=True):
        assert old is not new
        torch.testing.assert_close(old.stimuli, new.stimuli, rtol=0, atol=0)
        torch.testing.assert_close(old.labels, new.labels, rtol=0, atol=0)


def test_images_of_one_grey_level_are_refused() -> None:
    with pytest.raises(UserError, match=r"all training images of task 'stripes' have one grey"):
        Stripes(contrast=0.0).train()


@pytest.mark.parametrize("name", list(TASKS))
def test_images_are_split_once_in_a_process(name: str, example: Example) -> None:
    assert example(name).train() is example(name).train()


@pytest.mark.parametrize("name", OWN)
def test_guessing_is_right_once_in_as_many_times_as_there_are_classes(
    name: str, example: Example
) -> None:
    task = example(name)
    assert task.chance == 1 / len(np.unique(task.images()[1]))


@pytest.mark.parametrize("name", list(TASKS))
def test_there_are_as_many_classes_as_promised(name: str, example: Example) -> None:
    task = example(name)
    assert set(task.train().labels.tolist()) == set(range(task.classes))


def test_a_setting_of_a_users_task_reaches_its_images() -> None:
    assert float(Stripes(contrast=2.0).images()[0].max()) == 52
    faint, strong = Stripes(contrast=1.0), Stripes(contrast=2.0)
    assert faint.train() is not strong.train()


def test_a_task_whose_images_are_used_up_is_split_without_loss() -> None:
    task = Stripes(train_images=12, validation_images=9, probe_images=6)
    assert len(set.union(*map(rows, parts(task)))) == 27


def test_images_left_over_may_be_fewer_than_the_classes() -> None:
    task = Stripes(train_images=12, validation_images=8, probe_images=6)
    assert len(set.union(*map(rows, parts(task)))) == 26


def test_more_images_than_there_are_is_refused_with_the_sum() -> None:
    with pytest.raises(UserError, match=r"'digits' has 1797 images; 1797 \+ 300 \+ 64 were asked"):
        TASKS["digits"](train_images=1797).train()


def test_a_part_too_small_for_its_classes_is_refused() -> None:
    with pytest.raises(UserError, match="'digits' needs at least 10 images in each part"):
        TASKS["digits"](probe_images=9).stimuli()


def test_threads_that_ask_at_once_see_the_same_images() -> None:
    _parts.cache_clear()
    task, seen = TASKS["digits"](), []
    threads = [threading.Thread(target=lambda: seen.append(task.train())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 4
    for images in seen:
        torch.testing.assert_close(images.stimuli, seen[0].stimuli, rtol=0, atol=0)
