from __future__ import annotations

import shutil
import sys
import time

import h5py
import numpy as np
import pytest

from tests.recordings.nwb.files import experiment, pair, refusal, with_units
from virtuallab.errors import MissingLibrary
from virtuallab.recordings import read_recording


def test_without_pynwb_it_is_said_how_to_install_it(tmp_path, monkeypatch):
    files, _ = experiment(tmp_path, [[1, 2]])
    monkeypatch.setitem(sys.modules, "pynwb", None)
    with pytest.raises(MissingLibrary, match=r"pynwb is not installed.*-e \"\.\[nwb\]\""):
        read_recording(files[0])


def test_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "bad.nwb"
    path.write_bytes(b"no HDF5")
    assert "cannot be read as an NWB file" in refusal(path)
    files, _ = experiment(tmp_path, [[1, 2]])
    path.write_bytes(files[0].read_bytes()[:20_000])
    assert str(path) in refusal(path)


def test_files_of_two_subjects_or_of_one_time_are_refused(tmp_path):
    fills = with_units(1, 2), with_units(1, 2)
    assert "of 2 subjects, a, b" in refusal(pair(tmp_path, *fills, mice="ab"))
    assert "1.nwb have the same session_start_time" in refusal(pair(tmp_path, *fills, days=(3, 3)))


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Los_Angeles"])
def test_the_order_of_visits_is_the_same_in_every_time_zone(tmp_path, monkeypatch, zone):
    folder = pair(tmp_path, with_units(1, 2), with_units(1, 2), days=(1, 1.1))
    before = read_recording(folder)["activity"]
    with h5py.File(folder / "1.nwb", "r+") as stored:
        del stored["session_start_time"]
        stored["session_start_time"] = "2024-03-02T02:24:00"  # as it was, without its zone
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        found = read_recording(folder)
    finally:
        monkeypatch.undo()
        time.tzset()
    np.testing.assert_array_equal(found["activity"], before)
    assert (
        "session_start_time of 1.nwb names no time zone and was taken as UTC"
        in (found.attrs["notes"][0])
    )


def test_an_nwb_file_in_a_zarr_folder_is_refused_plainly(tmp_path):
    for name in ("day1.nwb", "day1.nwb.zarr"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / ".zgroup").write_text("{}")
        assert f"{folder}: is an NWB file in a zarr folder" in refusal(folder)
        assert "is an NWB file in a zarr folder, which is not read here. Export" in refusal(
            tmp_path
        )
        shutil.rmtree(folder)
