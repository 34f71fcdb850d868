"""CIFAR-10, CIFAR-100 and SVHN, by torchvision's loaders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.subject.tasks.examples import Example, pictures, write_cifar10
from virtuallab.errors import UserError
from virtuallab.registry import TASKS


def as_bytes(images: np.ndarray) -> list[bytes]:
    return [picture.tobytes() for picture in np.round(images * 255).astype(np.uint8)]


@pytest.mark.parametrize(
    ("name", "shape", "classes"),
    [
        ("cifar10", (3072,), 10),
        ("cifar100", (3072,), 100),
        ("svhn", (32, 32, 3), 10),
    ],
)
def test_held_out_images_are_those_of_the_test_split(
    name: str, shape: tuple[int, ...], classes: int, example: Example
) -> None:
    stimuli, labels = pictures(500, classes, shape, seed=5 if name == "cifar10" else 0)
    if name == "svhn":
        stimuli = stimuli.transpose(0, 3, 1, 2)
    known = {picture.tobytes(): label for picture, label in zip(stimuli, labels, strict=True)}
    task = example(name)
    images, found = task.images()
    held_out = as_bytes(images)[task.train_images :]
    assert [known[each] for each in held_out] == found[task.train_images :].tolist()
    assert not set(known) & set(as_bytes(images)[: task.train_images])


@pytest.mark.parametrize(
    ("name", "missing", "source"),
    [
        ("cifar10", "cifar-10-batches-py/data_batch_1", "cifar-10-python.tar.gz"),
        ("cifar100", "cifar-100-python/train", "cifar-100-python.tar.gz"),
        ("svhn", "train_32x32.mat", "http://ufldl.stanford.edu/housenumbers"),
    ],
)
def test_without_its_files_it_says_which_and_where_they_are(
    name: str, missing: str, source: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=f"{name}.* there is no .*{missing}.*{source}"):
        TASKS[name](path=str(tmp_path)).train()


def test_files_other_than_those_published_are_refused(tmp_path: Path) -> None:
    write_cifar10(tmp_path)
    with pytest.raises(UserError, match=r"not those that were published: their checksums differ"):
        TASKS["cifar10"](path=str(tmp_path)).train()
