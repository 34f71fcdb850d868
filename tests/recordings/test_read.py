from __future__ import annotations

import re
import shutil
import sys

import numpy as np
import pytest
import xarray as xr

from tests.recordings.files import plain, read, refusal, responses
from virtuallab.errors import MissingLibrary, UserError
from virtuallab.recordings import read_recording


def test_the_kind_of_file_does_not_matter(tmp_path):
    whole = plain().assign_coords(layer=("unit", list("aabbab")), step=("visit", [0, 5, 9]))
    expected = read(whole, tmp_path)
    whole.to_netcdf(tmp_path / "old.nc", engine="scipy")
    whole.to_zarr(tmp_path / "v2.zarr", zarr_format=2, consolidated=True)
    whole.drop_vars("layer").assign(layer=("unit", [1, 1, 2, 2, 1, 2])).to_zarr(
        tmp_path / "no_suffix", zarr_format=3, consolidated=False
    )
    xr.testing.assert_identical(read_recording(tmp_path / "old.nc"), expected)
    xr.testing.assert_identical(read_recording(tmp_path / "v2.zarr"), expected)
    numbered = read_recording(tmp_path / "no_suffix")
    assert numbered["layer"].values.tolist() == ["1", "2"]
    np.testing.assert_array_equal(numbered["activity"], expected["activity"])


# What is refused


def test_a_file_that_is_not_there_is_named_with_the_nearest(tmp_path):
    read(plain(), tmp_path)
    with pytest.raises(UserError, match=r"mien.nc: there is no such file or folder. Did you mean"):
        read_recording(tmp_path / "mien.nc")
    with pytest.raises(UserError, match="no such file or folder"):
        read_recording(tmp_path / "nowhere" / "mine.nc")


def test_an_empty_folder_is_called_empty(tmp_path):
    with pytest.raises(UserError, match="no recording is in this folder; it is empty"):
        read_recording(tmp_path)


def test_an_unknown_format_is_refused_with_those_that_are_known(tmp_path):
    path = tmp_path / "mine.mat"
    path.write_bytes(b"MATLAB")
    with pytest.raises(UserError, match=r"cannot tell what .mat is. Known: a netCDF file"):
        read_recording(path)
    with pytest.raises(UserError, match=r"no recording is in this folder; it holds mine.mat"):
        read_recording(tmp_path)
    with pytest.raises(UserError, match="several files are read as visits if all are NWB"):
        read_recording([path, path])
    with pytest.raises(UserError, match="no file is named"):
        read_recording([])


@pytest.mark.parametrize(
    "content", [b"", b"no netCDF at all", b"\x89HDF\r\n\x1a\nbut then nothing"]
)
def test_a_damaged_netcdf_file_is_refused_without_a_traceback(tmp_path, content):
    path = tmp_path / "bad.nc"
    path.write_bytes(content)
    with pytest.raises(UserError, match="cannot be read as a netCDF file") as caught:
        read_recording(path)
    assert caught.value.__suppress_context__


def test_a_cut_netcdf_file_and_a_damaged_zarr_folder_are_refused(tmp_path):
    read(plain(), tmp_path)
    cut = tmp_path / "cut.nc"
    cut.write_bytes((tmp_path / "mine.nc").read_bytes()[:3000])
    with pytest.raises(UserError, match="cannot be read as a netCDF file"):
        read_recording(cut)
    folder = tmp_path / "mine.zarr"
    plain().to_zarr(folder, zarr_format=3, consolidated=False)
    for chunk in (folder / "activity" / "c").rglob("*"):
        if chunk.is_file():
            chunk.write_bytes(b"rubbish")
    with pytest.raises(UserError, match="cannot be read as a zarr folder"):
        read_recording(folder)
    (folder / "zarr.json").write_text("{")
    with pytest.raises(UserError, match="cannot be read as a zarr folder"):
        read_recording(folder)
    shutil.rmtree(folder)
    folder.mkdir()
    with pytest.raises(UserError, match="cannot be read as a zarr folder"):
        read_recording(folder)


def test_a_whole_experiment_is_refused_with_the_recordings_in_it(tmp_path):
    root = tmp_path / "runs.zarr"
    tree = xr.DataTree.from_dict({"recordings/units_200/knet4": plain()})
    tree.to_zarr(root, zarr_format=3, consolidated=False)
    with pytest.raises(UserError, match=r"a whole experiment. Name one of its recordings: .*knet4"):
        read_recording(root)
    found = read_recording(root / "recordings" / "units_200" / "knet4")
    np.testing.assert_array_equal(found["activity"], responses().astype("f4"))


def test_a_unit_of_measurement_turns_no_number_into_a_time(tmp_path):
    whole = plain().assign_coords(step=("visit", [0, 10, 20]))
    whole["step"].attrs["units"] = "days since 2024-01-01"
    whole["activity"].attrs["units"] = "Hz since 2000-01-01"
    found = read(whole, tmp_path)
    np.testing.assert_array_equal(found["activity"], responses().astype("f4"))
    assert found["step"].values.tolist() == [0, 10, 20]


# A missing library, a bug and a damaged file


def test_a_missing_library_is_no_damage(tmp_path, monkeypatch):
    read(plain(), tmp_path)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingLibrary, match=r"^h5py is not installed; .* to read netCDF files"):
        read_recording(tmp_path / "mine.nc")


def test_a_bug_is_no_damage(tmp_path, monkeypatch):
    def bug(*_: object) -> None:
        raise KeyError("a bug of ours")

    read(plain(), tmp_path)
    monkeypatch.setattr("virtuallab.recordings.read.select_variables", bug)
    with pytest.raises(KeyError, match="a bug of ours"):
        read_recording(tmp_path / "mine.nc")


def test_tables_of_nwb_files_are_chosen_of_these_alone(tmp_path):
    read(plain(), tmp_path)
    with pytest.raises(UserError, match="--visits-from chooses a table of NWB files"):
        read_recording(tmp_path / "mine.nc", visits_from="epochs")


def test_the_message_keeps_to_one_line(tmp_path):
    assert not re.search(r"\n", refusal(plain().rename(unit="neuron"), tmp_path))
