from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from tests.store.toy import contents
from virtuallab.errors import StoreError
from virtuallab.store.comparison import check_comparison, write_comparison
from virtuallab.store.files.atomic_replace import replace_folder

FOUND = xr.Dataset({"balanced_accuracy": ("design", np.array([0.5, 0.9]))})


def test_a_comparison_takes_the_place_of_an_older_one_and_of_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "mine.compare.zarr"
    for found in (FOUND, FOUND + 1):
        check_comparison(folder)
        write_comparison(found, folder)
    kept = xr.open_dataset(folder, engine="zarr", consolidated=False)
    np.testing.assert_array_equal(kept["balanced_accuracy"], [1.5, 1.9])
    assert [each.name for each in tmp_path.iterdir()] == [folder.name]


@pytest.mark.parametrize("kind", ["folder", "zarr", "file", "link"])
def test_what_is_no_comparison_is_left_alone(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "mine.compare.zarr"
    match kind:
        case "folder":
            folder.mkdir()
            (folder / "thesis.txt").write_text("theirs")
        case "zarr":
            FOUND.to_zarr(folder, consolidated=False)
        case "file":
            folder.write_text("theirs")
        case "link":
            write_comparison(FOUND, tmp_path / "theirs.zarr")
            folder.symlink_to(tmp_path / "theirs.zarr")
    before = contents(tmp_path)
    for refuse in (lambda: check_comparison(folder), lambda: write_comparison(FOUND, folder)):
        with pytest.raises(StoreError, match=r"is no comparison of virtuallab|is a link"):
            refuse()
    assert contents(tmp_path) == before


def test_a_folder_that_could_not_be_built_leaves_the_older_one(tmp_path: Path) -> None:
    place = tmp_path / "mine"
    place.mkdir()
    with pytest.raises(ZeroDivisionError), replace_folder(place):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == [place]
