"""Images of one's own, in .npz, zarr and netCDF files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from tests.subject.tasks.examples import pictures
from virtuallab.errors import UserError
from virtuallab.registry import TASKS
from virtuallab.subject.task import Task

STIMULI, LABELS = pictures(60, 3, (2, 5, 4))
WORDS = np.array(["wren", "ant", "cod"])[LABELS]
FEW = {"train_images": 30, "validation_images": 15, "probe_images": 15}


def task(path: Path, **settings: Any) -> Task:
    return TASKS["images"](path=str(path), **{**FEW, **settings})


def npz(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "mine.npz", **{"stimuli": STIMULI, "labels": WORDS, **arrays})
    return folder / "mine.npz"


def dataset(**changes: Any) -> xr.Dataset:
    arrays: Mapping[str, Any] = {
        "stimuli": (("image", "channel", "height", "width"), STIMULI),
        "labels": ("image", WORDS),
        **changes,
    }
    return xr.Dataset(arrays)


def saved(folder: Path, kind: str, data: xr.Dataset) -> Path:
    path = folder / f"mine.{kind}"
    if kind == "zarr":
        data.to_zarr(path, consolidated=False, zarr_format=2)
    else:
        data.to_netcdf(path, engine="h5netcdf")
    return path


def check(found: Task) -> None:
    """All 60 images are there, each with the number of its word in sorted order."""
    order = {"ant": 0, "cod": 1, "wren": 2}
    known = {p.tobytes(): order[str(w)] for p, w in zip(STIMULI, WORDS, strict=True)}
    images, labels = found.images()
    pixels = np.round(images * 255).astype(np.uint8)
    assert [known[picture.tobytes()] for picture in pixels] == labels.tolist()
    assert len(set(map(bytes, pixels))) == 60
    assert found.classes == 3
    assert found.stimulus_shape == (2, 5, 4)


def test_an_npz_file_is_read(tmp_path: Path) -> None:
    check(task(npz(tmp_path)))


@pytest.mark.parametrize("kind", ["zarr", "nc"])
def test_zarr_and_netcdf_are_read_by_the_names_of_their_dims(kind: str, tmp_path: Path) -> None:
    last = dataset(stimuli=(("image", "height", "width", "channel"), STIMULI.transpose(0, 2, 3, 1)))
    check(task(saved(tmp_path, kind, last)))


def test_images_without_a_channel_have_one(tmp_path: Path) -> None:
    assert task(npz(tmp_path, stimuli=STIMULI[:, 0])).stimulus_shape == (1, 5, 4)


def test_floating_point_is_taken_as_it_is(tmp_path: Path) -> None:
    values = STIMULI.astype(np.float64) * 1000
    assert task(npz(tmp_path, stimuli=values)).images()[0].max() == values.max()


def test_arrays_may_have_other_names(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", x=STIMULI, y=WORDS)
    check(task(tmp_path / "mine.npz", stimuli_name="x", labels_name="y"))


NAN = STIMULI.astype(np.float32)
NAN[17, 0, 0, 0] = np.nan


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"stimuli": STIMULI[0, 0]}, r"'stimuli' of shape \(5, 4\); expected \(image, channel"),
        ({"stimuli": pictures(60, 3, (8, 8, 3))[0]}, r"channel last; .*np\.moveaxis\(stimuli"),
        ({"stimuli": STIMULI[:50]}, "50 images in 'stimuli' and 60 labels in 'labels'"),
        ({"stimuli": NAN}, "NaN or infinite, in image 17; expected finite numbers"),
        (
            {"stimuli": np.where(LABELS[:, None, None, None] == 1, np.nan, NAN)},
            r"NaN or infinite, in image \d+ and \d+ others; expected finite numbers",
        ),
        ({"stimuli": STIMULI.astype(np.int64)}, "type int64; expected uint8 or floating point"),
        ({"labels": np.zeros(60)}, "'labels' of type float64; expected whole numbers or texts"),
        ({"labels": np.zeros((60, 3), int)}, r"'labels' of shape \(60, 3\); expected \(image,\)"),
        ({"labels": np.full(60, "cat")}, "has one class only, cat; expected two or more"),
        ({"labels": np.array([0, 0, *LABELS[2:] + 1])}, "has 2 images of the class 0; expected at"),
        ({"labels": np.array([None] * 60)}, r"Python objects; save labels as .*np\.array\(labels"),
    ],
)
def test_a_bad_file_is_named_with_what_is_expected(
    arrays: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=rf"task 'images': .*mine\.npz .*{message}"):
        task(npz(tmp_path, **arrays)).train()


def test_a_missing_array_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no array 'x'; expected x and labels, found: stimuli, lab"):
        task(npz(tmp_path), stimuli_name="x").train()
    with pytest.raises(UserError, match=r"found: stimuli\. Name the arrays .* with stimuli_name"):
        task(saved(tmp_path, "nc", dataset().drop_vars("labels"))).train()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mine.npz", r"is no \.npz file, as np\.savez"),
        ("mine.nc", "cannot be read as netCDF"),
        ("mine.png", "has the suffix '.png'; expected a .npz file"),
    ],
)
def test_a_file_that_is_something_else_is_refused(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"something else, which is long enough to have a beginning")
    with pytest.raises(UserError, match=message):
        task(tmp_path / name).train()


def test_a_folder_that_is_no_zarr_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.zarr").mkdir()
    with pytest.raises(UserError, match=r"mine\.zarr cannot be read as zarr"):
        task(tmp_path / "mine.zarr").train()


def test_too_few_images_are_refused_with_the_sum(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"mine.npz has 60 images; 50 \+ 15 \+ 15 were asked for"):
        task(npz(tmp_path), train_images=50).train()


def test_a_class_too_rare_for_a_part_is_refused(tmp_path: Path) -> None:
    labels = np.array([0] * 28 + [1] * 28 + [2] * 4)
    words = r"class 2 has 4 of the 60 images of .*mine\.npz, and none is among the 3 probe_images"
    with pytest.raises(UserError, match=words):
        task(npz(tmp_path, labels=labels), validation_images=20, probe_images=3).stimuli()


def test_a_changed_file_is_another_task_and_never_served_from_memory(tmp_path: Path) -> None:
    before = task(npz(tmp_path))
    first = before.train().stimuli
    again = task(npz(tmp_path, stimuli=255 - STIMULI))
    assert again != before
    assert not np.array_equal(again.train().stimuli, first)
    assert before.train().stimuli is first  # what was read before keeps its digest


def test_the_place_is_no_part_of_the_identity(tmp_path: Path) -> None:
    from virtuallab.fields import plugin_data

    one = task(npz(tmp_path))
    moved = task(npz(tmp_path).rename(tmp_path / "other.npz"))
    assert plugin_data(one) == plugin_data(moved)
    assert plugin_data(one)["sha256"] == one.sha256 != ""
    assert "path" not in plugin_data(one)
    different = task(npz(tmp_path, stimuli=255 - STIMULI))
    assert plugin_data(one) != plugin_data(different)
