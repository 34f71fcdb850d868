"""Small files in the formats of data sets, and a task of every registered name that reads them."""

from __future__ import annotations

import gzip
import hashlib
import pickle
import wave
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from PIL import Image

from virtuallab.registry import TASKS
from virtuallab.subject.architectures._torchvision import torchvision
from virtuallab.subject.task import Task

Arrays = tuple[np.ndarray, np.ndarray]


def pictures(count: int, classes: int, shape: tuple[int, ...], seed: int = 0) -> Arrays:
    """Random pictures, uint8, whose first pixels tell them apart, and labels in turn."""
    stimuli = np.random.default_rng([seed, count]).integers(0, 256, (count, *shape), dtype=np.uint8)
    return stimuli, np.arange(count) % classes


def write_idx(file: Path, array: np.ndarray) -> None:
    sizes = np.array(array.shape, ">u4").tobytes()
    header = bytes([0, 0, 8, array.ndim])
    file.write_bytes(gzip.compress(header + sizes + array.astype(np.uint8).tobytes()))


def write_fashion_mnist(folder: Path) -> None:
    for split, count in (("train", 1400), ("t10k", 500)):
        stimuli, labels = pictures(count, 10, (28, 28))
        write_idx(folder / f"{split}-images-idx3-ubyte.gz", stimuli)
        write_idx(folder / f"{split}-labels-idx1-ubyte.gz", labels)


def _pickled(file: Path, content: dict[str, Any]) -> str:
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(pickle.dumps(content))
    return hashlib.md5(file.read_bytes()).hexdigest()


def write_cifar10(folder: Path) -> dict[str, str]:
    """Write batches, and return their checksums by name."""
    names = {"batches.meta": {"label_names": [f"class {number}" for number in range(10)]}}
    for number, name in enumerate([*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]):
        stimuli, labels = pictures(500 if number == 5 else 250, 10, (3072,), number)
        names[name] = {"data": stimuli, "labels": labels.tolist()}
    return {name: _pickled(folder / "cifar-10-batches-py" / name, names[name]) for name in names}


def write_cifar100(folder: Path) -> dict[str, str]:
    """Write both splits, and return their checksums by name."""
    names = {"meta": {"fine_label_names": [f"class {number}" for number in range(100)]}}
    for name, count in (("train", 1100), ("test", 500)):
        stimuli, labels = pictures(count, 100, (3072,))
        names[name] = {"data": stimuli, "fine_labels": labels.tolist()}
    return {name: _pickled(folder / "cifar-100-python" / name, names[name]) for name in names}


def write_svhn(folder: Path) -> dict[str, str]:
    """Write both splits, and return their checksums by name."""
    found = {}
    for split, count in (("train", 1100), ("test", 500)):
        file = folder / f"{split}_32x32.mat"
        stimuli, labels = pictures(count, 10, (32, 32, 3))
        labels = np.where(labels == 0, 10, labels)  # as published
        scipy.io.savemat(file, {"X": stimuli.transpose(1, 2, 3, 0), "y": labels[:, None]})
        found[split] = hashlib.md5(file.read_bytes()).hexdigest()
    return found


def write_class_folders(folder: Path, count: int, seed: int = 0) -> None:
    stimuli, labels = pictures(count, 3, (9, 11, 3), seed)
    for number, (picture, label) in enumerate(zip(stimuli, labels, strict=True)):
        below = folder / f"n{label:08}"
        below.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(below / f"{number:04}.png")


def write_imagenet(folder: Path) -> None:
    write_class_folders(folder / "train", 90, seed=1)
    write_class_folders(folder / "val", 60, seed=2)


def write_images(folder: Path) -> None:
    stimuli, labels = pictures(200, 4, (1, 6, 6))
    words = np.array(["cat", "dog", "hen", "owl"])[labels]
    np.savez(folder / "stimuli.npz", stimuli=stimuli, labels=words)


def write_wav_folder(folder: Path) -> None:
    """Write tones in noise, of three frequencies, in 16 bits at 16 kHz."""
    stream = np.random.default_rng(1)
    time = np.arange(3200) / 16_000
    for number in range(120):
        below = folder / f"{(300, 900, 2700)[number % 3]} Hz"
        below.mkdir(exist_ok=True)
        tone = np.sin(2 * np.pi * (300, 900, 2700)[number % 3] * time)
        sound = 0.2 * tone + 0.02 * stream.standard_normal(len(time))
        with wave.open(str(below / f"{number:03}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(16_000)
            file.writeframes((2**15 * sound).astype("<i2").tobytes())


# Task -> writer of its files, and settings that are not the defaults.
WRITERS: dict[str, tuple[Callable[[Path], Any], dict[str, Any]]] = {
    "fashion_mnist": (write_fashion_mnist, {}),
    "cifar10": (write_cifar10, {}),
    "cifar100": (
        write_cifar100,
        {"train_images": 900, "validation_images": 200, "probe_images": 100},
    ),
    "svhn": (write_svhn, {}),
    "imagenet": (
        write_imagenet,
        {"side": 8, "train_images": 60, "validation_images": 25, "probe_images": 25},
    ),
    "image_folder": (
        lambda folder: write_class_folders(folder, 150),
        {"side": 8, "train_images": 60, "validation_images": 25, "probe_images": 25},
    ),
    "images": (
        write_images,
        {"train_images": 100, "validation_images": 40, "probe_images": 24},
    ),
    "wav_folder": (
        write_wav_folder,
        {"duration": 0.2, "train_images": 60, "validation_images": 25, "probe_images": 25},
    ),
}
# Tasks that would take many seconds with their defaults.
SMALL: dict[str, dict[str, Any]] = {
    "spoken_words": {
        "words": 3,
        "speakers": 2,
        "repetitions": 20,
        "train_images": 60,
        "validation_images": 25,
        "probe_images": 25,
    }
}


def verify_small_files(monkeypatch: pytest.MonkeyPatch, name: str, found: Any) -> None:
    """Let torchvision accept small files by the checksums that they have."""
    torchvision()
    from torchvision import datasets

    def listed(kind: Any, attribute: str) -> None:
        lists = [[file, found[file]] for file, _ in getattr(kind, attribute)]
        monkeypatch.setattr(kind, attribute, lists)

    if name in ("cifar10", "cifar100"):
        kind = {"cifar10": datasets.CIFAR10, "cifar100": datasets.CIFAR100}[name]
        listed(kind, "train_list")
        listed(kind, "test_list")
        monkeypatch.setattr(kind, "meta", kind.meta | {"md5": found[kind.meta["filename"]]})
    if name == "svhn":
        urls = datasets.SVHN.split_list
        lists = {split: [*urls[split][:2], md5] for split, md5 in found.items()}
        monkeypatch.setattr(datasets.SVHN, "split_list", lists)


Example = Callable[..., Task]


@pytest.fixture(scope="session")
def task_files(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, Any]]:
    """Folder with the small files of a task, and what their writer returned."""

    @cache
    def written(name: str) -> tuple[Path, Any]:
        folder = tmp_path_factory.mktemp(name)
        return folder, WRITERS[name][0](folder)

    return written


@pytest.fixture
def example(
    monkeypatch: pytest.MonkeyPatch, task_files: Callable[[str], tuple[Path, Any]]
) -> Example:
    """Makes a task by its name; small files are written for one that reads files."""

    def make(name: str, **settings: Any) -> Task:
        if name == "spoken_words" and find_spec("espeakng_loader") is None:
            pytest.skip("espeakng-loader is not installed (extra audio)")
        if name not in WRITERS:
            return TASKS[name](**{**SMALL.get(name, {}), **settings})
        folder, found = task_files(name)
        verify_small_files(monkeypatch, name, found)
        path = folder / "stimuli.npz" if name == "images" else folder
        return TASKS[name](path=str(path), **{**WRITERS[name][1], **settings})

    return make
