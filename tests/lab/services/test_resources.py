"""Resources of this machine: cores, memory and disk, and their text."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from virtuallab.lab.services import resources

HOLDS = "b = bytearray(120_000_000); print('made', flush=True); input()"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (3599, "59 min 59 s"),
        (3599.6, "1 h 0 min"),
        (7500, "2 h 5 min"),
        (100 * 3600 + 119, "100 h 1 min"),
    ],
)
def test_a_time_has_two_units_at_most(seconds: float, text: str) -> None:
    assert resources.duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0.00 MB"),
        (4_560_000, "4.56 MB"),
        (56_700_000, "57 MB"),
        (999_000_000, "999 MB"),
        (10**9, "1.00 GB"),
        (12_345_000_000, "12.35 GB"),
    ],
)
def test_a_size_has_three_digits_or_two_decimals(count: int, text: str) -> None:
    assert resources.megabytes(count) == text


def test_the_size_of_a_folder_is_that_of_all_files_below_it(tmp_path: Path) -> None:
    assert resources.stored(tmp_path) == 0
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "one").write_bytes(b"12345")
    (tmp_path / "a" / "b" / "two").write_bytes(b"123")
    assert resources.stored(tmp_path) == 8


def test_peak_memory_counts_this_process_and_those_it_has_started() -> None:
    alone = resources.peak_memory()
    assert alone > 20e6
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert child.stdout is not None
        child.stdout.readline()
        assert resources.peak_memory() >= alone + 120e6
    finally:
        child.communicate(b"\n")
    assert resources.peak_memory() < alone + 100e6


def test_what_an_experiment_took_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").write_bytes(bytes(2_500_000))
    monkeypatch.setattr(resources, "peak_memory", lambda: 1_500_000_000)
    line = resources.spent(time.monotonic() - 150, tmp_path)
    assert line == f"2 min 30 s, peak memory 1.50 GB, {tmp_path} holds 2.50 MB"
    of_workers = resources.spent(time.monotonic() - 150, tmp_path, 2_000_000_000)
    assert "peak memory 2.00 GB" in of_workers


def test_cores_are_those_that_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    assert resources.cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert resources.cores() == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert resources.cores() == 1


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ([], 4096 * 1000),
        (["max\n"], 4096 * 1000),
        (["1000000\n"], 1_000_000),
        (["9000000000\n", "2000000"], 2_000_000),
        (["9223372036854771712"], 4096 * 1000),
    ],
)
def test_memory_is_that_of_the_machine_or_less_in_a_container(
    limits: list[str], expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [tmp_path / str(number) for number in range(2)]
    for file, text in zip(files, limits, strict=False):
        file.write_text(text)
    monkeypatch.setattr(resources, "_CGROUPS", tuple(map(str, files)))
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 1000}.__getitem__)
    assert resources.total_memory() == expected


def test_free_disk_is_that_of_the_first_folder_that_exists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []
    real = shutil.disk_usage

    def usage(folder: Path) -> object:
        asked.append(Path(folder))
        return real(folder)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    assert resources.free_disk(tmp_path / "runs" / "new.zarr") > 0
    assert asked == [tmp_path / "runs" / "new.zarr", tmp_path / "runs", tmp_path]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: (_ for _ in ()).throw(OSError))
    assert resources.free_disk(tmp_path) == 0
