"""Image files in one folder for each class, and ImageNet's two splits of such folders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.subject.tasks.examples import write_class_folders, write_imagenet
from virtuallab.errors import UserError
from virtuallab.registry import TASKS
from virtuallab.subject.task import Task

FEW = {"train_images": 60, "validation_images": 25, "probe_images": 25}


def folder_task(path: Path, name: str = "image_folder", **settings: object) -> Task:
    return TASKS[name](path=str(path), **{"side": 9, **FEW, **settings})


def test_the_square_in_the_centre_is_used_and_the_class_is_the_folder(tmp_path: Path) -> None:
    for number, name in enumerate(("left", "right")):
        (tmp_path / name).mkdir()
        for shade in range(8):
            picture = np.zeros((9, 13, 3), np.uint8)
            picture[:, 2:11] = 30 * shade + number  # the margin is cut
            Image.fromarray(picture).save(tmp_path / name / f"{shade}.png")
    task = folder_task(tmp_path, train_images=8, validation_images=4, probe_images=4)
    images, labels = task.images()
    values = np.round(images * 255).astype(int)
    assert (values == values[:, :1, :1, :1]).all()
    assert (values[:, 0, 0, 0] % 30).tolist() == labels.tolist()
    assert sorted(values[:, 0, 0, 0].tolist()) == sorted(
        30 * shade + number for number in range(2) for shade in range(8)
    )


def test_files_in_colour_may_be_read_in_grey_and_scaled(tmp_path: Path) -> None:
    write_class_folders(tmp_path, 120)
    task = folder_task(tmp_path, side=5, channels=1)
    assert task.classes == 3
    assert task.train().stimuli.shape == (60, 1, 5, 5)


def test_only_the_images_that_are_drawn_are_read(tmp_path: Path) -> None:
    write_class_folders(tmp_path, 120)
    drawn = folder_task(tmp_path)
    before = drawn.train().stimuli
    for file in sorted((tmp_path / "n00000000").iterdir()):
        content = file.read_bytes()
        file.write_bytes(bytes(len(content)))  # of the same size, and no image
        try:
            again = folder_task(tmp_path).images()[0]
        except UserError as error:
            assert f"{file.name} cannot be read as an image" in str(error)  # noqa: PT017
        else:
            assert len(again) == 110
            break
        file.write_bytes(content)
    else:
        pytest.fail("every image was read")
    assert len(before) == 60


def test_imagenet_keeps_its_splits(tmp_path: Path) -> None:
    write_imagenet(tmp_path)
    held_out = {
        np.asarray(Image.open(file))[:, 1:10].transpose(2, 0, 1).tobytes()
        for file in (tmp_path / "val").rglob("*.png")
    }
    images, _ = folder_task(tmp_path, "imagenet", side=9).images()
    pixels = np.round(images * 255).astype(np.uint8)
    assert [picture.tobytes() in held_out for picture in pixels] == [False] * 60 + [True] * 50


@pytest.mark.parametrize(
    ("remove", "message"),
    [
        ("val", r"there is no folder .*val\. Set 'path' to a folder with the subfolders 'train'"),
        ("val/n00000002", "have different classes: n00000002 in one only"),
    ],
)
def test_an_incomplete_imagenet_says_what_is_missing(
    remove: str, message: str, tmp_path: Path
) -> None:
    write_imagenet(tmp_path)
    (tmp_path / remove).rename(tmp_path / "elsewhere")
    with pytest.raises(UserError, match=message):
        folder_task(tmp_path, "imagenet").train()


def test_a_folder_that_is_no_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"has 0 subfolders; at least two classes are needed\. Set"):
        folder_task(tmp_path).train()
    with pytest.raises(UserError, match=r"there is no .*nowhere"):
        folder_task(tmp_path / "nowhere").train()
    write_class_folders(tmp_path, 120)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="Found no valid file for the classes empty"):
        folder_task(tmp_path).train()


def test_a_file_that_is_no_image_is_named(tmp_path: Path) -> None:
    write_class_folders(tmp_path, 120)
    for file in (tmp_path / "n00000001").iterdir():
        file.write_bytes(b"no image")
    with pytest.raises(UserError, match=r"n00000001/\d+.png cannot be read as an image"):
        folder_task(tmp_path).train()


def test_a_changed_folder_has_another_digest(tmp_path: Path) -> None:
    write_class_folders(tmp_path, 120)
    before = folder_task(tmp_path)
    assert before == folder_task(tmp_path)
    (tmp_path / "n00000001" / "0001.png").unlink()
    assert folder_task(tmp_path).sha256 != before.sha256
    with pytest.raises(UserError, match="was changed: its digest is"):
        before.images()
