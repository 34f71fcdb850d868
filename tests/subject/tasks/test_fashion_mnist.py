"""Fashion-MNIST from IDX files."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from tests.subject.tasks.examples import pictures, write_fashion_mnist, write_idx
from virtuallab.errors import UserError
from virtuallab.registry import TASKS

PUBLISHED = Path(TASKS["fashion_mnist"].__dataclass_fields__["path"].default)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_fashion_mnist(tmp_path)
    return tmp_path


def test_images_are_those_of_the_files_with_their_labels(folder: Path) -> None:
    stimuli, labels = pictures(1400, 10, (28, 28))
    known = {picture.tobytes(): label for picture, label in zip(stimuli, labels, strict=True)}
    images, found = TASKS["fashion_mnist"](path=str(folder)).images()
    pixels = np.round(images[:1000, 0] * 255).astype(np.uint8)
    assert [known[picture.tobytes()] for picture in pixels] == found[:1000].tolist()


def test_validation_and_probe_images_are_from_the_test_split(folder: Path) -> None:
    held_out = {picture.tobytes() for picture in pictures(500, 10, (28, 28))[0]}
    images, _ = TASKS["fashion_mnist"](path=str(folder)).images()
    pixels = np.round(images[:, 0] * 255).astype(np.uint8)
    assert [picture.tobytes() in held_out for picture in pixels] == [False] * 1000 + [True] * 364


def test_without_its_files_the_package_and_the_setting_are_named(tmp_path: Path) -> None:
    task = TASKS["fashion_mnist"](path=str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match=r"no .*nowhere/train-.*dataset-fashion-mnist.*'path'"):
        task.train()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t10k-labels-idx1", b"not zipped", "t10k-labels-idx1-ubyte.gz is no gzipped IDX file"),
        ("t10k-labels-idx1", gzip.compress(b"\0\0\x08\x01"), "is no gzipped IDX file"),
        ("t10k-labels-idx1", gzip.compress(b"\0\0\x0d\1\0\0\0\0"), "no IDX file of unsigned bytes"),
    ],
    ids=["text", "short", "floats"],  # compressed bytes hold the time
)
def test_a_damaged_file_is_named(folder: Path, name: str, content: bytes, message: str) -> None:
    (folder / f"{name}-ubyte.gz").write_bytes(content)
    with pytest.raises(UserError, match=message):
        TASKS["fashion_mnist"](path=str(folder)).train()


def test_files_of_another_data_set_are_refused(folder: Path) -> None:
    write_idx(folder / "train-labels-idx1-ubyte.gz", np.arange(5))
    with pytest.raises(UserError, match=r"the training split in .* is not that of Fashion-MNIST"):
        TASKS["fashion_mnist"](path=str(folder)).train()


def test_more_images_than_a_split_has_are_refused(folder: Path) -> None:
    task = TASKS["fashion_mnist"](path=str(folder), validation_images=450)
    words = r"the test split has 500 images; 450 \+ 64 were asked for \(validation_images, probe"
    with pytest.raises(UserError, match=words):
        task.validation()


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="dataset-fashion-mnist is not installed")
def test_the_published_files_are_read() -> None:
    task = TASKS["fashion_mnist"]()
    assert np.bincount(task.train().labels).tolist() == [100] * 10
