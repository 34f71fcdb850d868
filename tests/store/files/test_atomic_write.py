from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.store.toy import NODE, STAGE, contents, new_store, sample, write_and_commit
from virtuallab.errors import MachineError, StoreError
from virtuallab.store import Store
from virtuallab.store.files.atomic_write import write_text, writing
from virtuallab.store.layout import chunk

STORE = "virtuallab.store"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_plainly_and_the_rest_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    store = new_store(tmp_path)
    write_and_commit(str(store.path), [0])
    checksums = {NODE: store.write(NODE, 1, sample(1.0))}

    def full(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    said = r"disk is full: .*lab.* could not grow.*same command again, and it goes on"
    for broken, attempt in [
        (f"{STORE}.layout.chunk._replace_file", lambda: store.write(NODE, 1, sample(2.0))),
        (f"{STORE}.store.flush_to_disk", lambda: commit(store, checksums)),
        (
            "virtuallab.store.integrity.commit_records.write_json_with_digest",
            lambda: commit(store, checksums),
        ),
        (
            "virtuallab.store.layout.zarr_metadata.write_json",
            lambda: store.declare("more", sample()),
        ),
        (f"{STORE}.node_writer._to_zarr", lambda: store.write_table("more", sample())),
        (f"{STORE}.node_writer.consolidate", store.finish),
    ]:
        with monkeypatch.context() as patch:
            patch.setattr(broken, full)
            with pytest.raises(MachineError, match=said):
                attempt()
    assert sorted(store.committed(STAGE)) == [0]
    write_and_commit(str(store.path), [1])
    assert store.verify() == []
    assert sorted(store.committed(STAGE)) == [0, 1]


def commit(store: Store, checksums: dict[str, dict[str, str]]) -> None:
    store.commit(STAGE, 1, {"checksums": checksums})


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="the system limits no files")
def test_a_real_limit_leaves_no_half_written_chunk(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    script = f"""
import resource
import numpy as np
import xarray as xr
from pathlib import Path
from virtuallab.errors import MachineError
from virtuallab.store import Store
from virtuallab.store.files.atomic_write import write_text, writing
store = Store.open(Path({str(store.path)!r}))
noise = np.random.default_rng(0).random(40_000)
store.declare("big", xr.Dataset({{"x": ("unit", noise)}}))
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    store.write("big", 0, {{"x": noise}})
except MachineError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.startswith("the disk is full"), done.stderr
    assert [path for path in contents(store.path) if path.startswith("big/x/")] == [
        "big/x/zarr.json"
    ]


def test_a_place_that_may_not_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = new_store(tmp_path)

    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(chunk, "_replace_file", forbidden)
    with pytest.raises(StoreError, match=r"lab\.zarr cannot be written: Permission denied"):
        store.write(NODE, 0, sample())


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("not a folder", encoding="utf-8")
    with pytest.raises((StoreError, MachineError), match=r"runs.* be written"):
        new_store(tmp_path / "runs")


def test_a_failing_disk_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = new_store(tmp_path)

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(chunk, "_replace_file", fail)
    with pytest.raises(MachineError, match=r"Input/output error.* What is stored is kept"):
        store.write(NODE, 0, sample())


def test_text_replaces_an_older_file_whole_and_leaves_no_draft(tmp_path: Path):
    page = tmp_path / "page.html"
    page.write_text("old")
    write_text(page, "new \udcff")
    assert page.read_text() == "new ?"
    assert os.listdir(tmp_path) == ["page.html"]  # noqa: PTH208


def test_a_link_is_not_written_through(tmp_path: Path):
    theirs, link = tmp_path / "theirs.txt", tmp_path / "page.html"
    theirs.write_text("theirs")
    link.symlink_to(theirs)
    with pytest.raises(StoreError, match="is a link"):
        write_text(link, "ours")
    assert theirs.read_text() == "theirs"
    assert link.is_symlink()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_device_is_written_to_and_its_fault_is_said(tmp_path: Path):
    with pytest.raises(MachineError, match="disk is full"), writing(Path("/dev/full")):
        write_text(Path("/dev/full"), "x")
    assert Path("/dev/full").is_char_device()


def test_a_folder_is_not_replaced_by_a_file(tmp_path: Path):
    with pytest.raises(OSError, match="directory"):
        write_text(tmp_path, "x")
    assert tmp_path.is_dir()


@pytest.mark.parametrize(
    ("code", "resumable", "message"),
    [
        (errno.EXDEV, True, "have to lie on one"),
        (errno.ENOTEMPTY, True, "cannot be written: Directory not empty"),
        (errno.EROFS, True, "cannot be written: Read-only"),
        (errno.EIO, False, r"What is stored is kept\.$"),
        (errno.ENOSPC, False, r"run the same command again\.$"),
    ],
)
def test_a_command_goes_on_only_where_that_is_so(code: int, resumable: bool, message: str) -> None:
    def fail() -> None:
        with writing(Path("page.html"), resumable=resumable):
            raise OSError(code, os.strerror(code))

    with pytest.raises((StoreError, MachineError), match=message) as caught:
        fail()
    assert "goes on" not in str(caught.value)
