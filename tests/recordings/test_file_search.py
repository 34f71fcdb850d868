from __future__ import annotations

import shutil

from tests.recordings.nwb.files import experiment, notes, refusal
from virtuallab.recordings import read_recording


def test_what_other_programs_left_in_a_folder_is_passed_over(tmp_path):
    files, _ = experiment(tmp_path, [[1, 2], [1, 2]])
    wanted = read_recording(files)
    for name in ("._9.nwb", ".DS_Store", "Thumbs.db", "10.nwb.tmp", "~8.nwb"):
        (tmp_path / name).write_bytes(b"\x00\x05\x16\x07")
    assert read_recording(tmp_path).identical(wanted)
    assert read_recording([*files, tmp_path / "._9.nwb", tmp_path / "Thumbs.db"]).identical(wanted)
    shutil.copy(files[0], tmp_path / "9 (Eva's conflicted copy 2024-03-05).nwb")
    assert (
        "conflicted copy 2024-03-05).nwb, a sync client's copy, was passed over"
        in (notes(tmp_path)[0])
    )


def test_files_in_capitals_and_in_folders_are_found(tmp_path):
    files, _ = experiment(tmp_path, [[1, 2], [1, 2]])
    wanted = read_recording(files)
    for place, file in enumerate(files):
        inside = tmp_path / "all" / "sub-1" / f"ses-{place}"
        inside.mkdir(parents=True)
        file.rename(inside / f"{place}.NWB")
    assert read_recording(tmp_path / "all").identical(wanted)
    assert read_recording(tmp_path / "all" / "sub-1").identical(wanted)


def test_a_whole_disk_is_not_searched(tmp_path, monkeypatch):
    monkeypatch.setattr("virtuallab.recordings.file_search._MANY", 5)
    for place in ("a", "b", "c"):
        (tmp_path / "home" / place / "deep").mkdir(parents=True)
    message = "no NWB file lies in this folder itself, and those in it hold more than 5 files"
    assert message in refusal(tmp_path)
    assert "no recording is in this folder" in refusal(tmp_path / "home" / "a")
