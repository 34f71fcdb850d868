"""Conformance check of tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch

from virtuallab.errors import UserError
from virtuallab.registry import TASKS
from virtuallab.subject.task import Images, Task
from virtuallab.testing.plugin import broken, global_state, plugin_instance


def check_task(task: str | type[Task] | Task) -> None:
    """Check that a task gives the images it promises, in three parts that share none.

    Images and labels have the shapes and types that the class declares, and are the same at every
    call. Training, validation and probe images have the sizes of the settings, are standardised by
    the training images, and contain all classes. No image is in two parts, so that neither accuracy
    nor recorded responses are measured with images that were learned.

    Parameters
    ----------
    task : str, type or Task
        A registered name, a class (both with default settings), or an instance. A task that reads
        files has to be an instance, with their ``path``.

    Raises
    ------
    AssertionError
        With what the task breaks.
    """
    made: Task = plugin_instance(task, TASKS, Task)
    _check_declared(made)
    _check_images(made)
    _check_parts(made)
    fewer = {"train_images": made.classes + 1, "validation_images": made.classes}
    _check_parts(replace(made, **fewer, probe_images=made.classes))


def _check_declared(task: Task) -> None:
    shape = task.stimulus_shape
    if len(shape) != 3 or min(shape) < 1:
        broken("task", task, f"declares the stimulus_shape {shape}, not (channel, height, width)")
    if task.classes < 2:
        broken("task", task, f"declares {task.classes} classes; there must be 2 or more")
    if task.chance != 1 / task.classes:
        broken("task", task, f"has the chance {task.chance:g} with {task.classes} classes")


def _check_images(task: Task) -> None:
    before = torch.get_rng_state(), global_state()
    stimuli, labels = task.images()
    again = task.images()
    if not torch.equal(torch.get_rng_state(), before[0]) or global_state() != before[1]:
        broken("task", task, "draws from a global random stream; use np.random.default_rng(seed)")
    for name, array, dtype in (("images", stimuli, np.float32), ("labels", labels, np.int64)):
        if not isinstance(array, np.ndarray) or array.dtype != dtype:
            found = getattr(array, "dtype", type(array).__name__)
            broken("task", task, f"gives {name} of type {found}, not an array of {np.dtype(dtype)}")
    if stimuli.shape != (len(labels), *task.stimulus_shape) or labels.ndim != 1:
        broken(
            "task",
            task,
            f"gives images of shape {stimuli.shape} and labels of shape {labels.shape}; expected "
            f"(image, {', '.join(map(str, task.stimulus_shape))}) and (image,)",
        )
    if not np.isfinite(stimuli).all():
        broken("task", task, "gives images that are not finite")
    if set(labels.tolist()) != set(range(task.classes)):
        broken("task", task, f"gives labels other than 0 to {task.classes - 1}")
    if not all(np.array_equal(a, b) for a, b in zip((stimuli, labels), again, strict=True)):
        broken("task", task, "gives other images when it is called again; use a fixed seed")


def _check_parts(task: Task) -> None:
    try:
        parts = {"train": task.train(), "validation": task.validation(), "stimuli": task.stimuli()}
        again = {"train": task.train(), "validation": task.validation(), "stimuli": task.stimuli()}
    except UserError as error:
        broken("task", task, f"cannot be split: {error}")
    sizes = (task.train_images, task.validation_images, task.probe_images)
    for (name, part), size in zip(parts.items(), sizes, strict=True):
        _check_part(task, name, part, size)
        if not torch.equal(part.stimuli, again[name].stimuli):
            broken("task", task, f"gives other images when {name}() is called again")
    values = parts["train"].stimuli.double()
    mean, deviation = float(values.mean()), float(values.std(correction=0))
    if abs(mean) > 1e-3 or abs(deviation - 1) > 1e-3:
        broken(
            "task",
            task,
            f"has training images of mean {mean:.3g} and standard deviation {deviation:.3g}, not "
            "0 and 1",
        )
    _check_disjoint(task, parts)


def _check_part(task: Task, name: str, part: Images, size: int) -> None:
    expected = {"stimuli": (size, *task.stimulus_shape), "labels": (size,)}
    types = {"stimuli": torch.float32, "labels": torch.int64}
    for field, shape in expected.items():
        tensor = getattr(part, field)
        if (tuple(tensor.shape), tensor.dtype) != (shape, types[field]):
            broken(
                "task",
                task,
                f"returns {field} of shape {tuple(tensor.shape)} and type {tensor.dtype} from "
                f"{name}(), not {shape} and {types[field]}",
            )
    if missing := set(range(task.classes)) - set(part.labels.tolist()):
        broken("task", task, f"has no image of class {min(missing)} in {name}()")


def _check_disjoint(task: Task, parts: Mapping[str, Images]) -> None:
    seen: dict[bytes, str] = {}
    for name, part in parts.items():
        for image in part.stimuli.numpy():
            other = seen.setdefault(image.tobytes(), name)
            if other != name:
                broken("task", task, f"has the same image in {other}() and {name}()")
