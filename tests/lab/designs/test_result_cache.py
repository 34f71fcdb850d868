"""Results of designs are kept, each in a file of its own."""

from __future__ import annotations

import errno
from pathlib import Path
from unittest import mock

import pytest

from virtuallab.errors import MachineError
from virtuallab.lab.designs import result_cache
from virtuallab.lab.designs.result_cache import ResultCache

DECISIVE = {"seed": 3, "folds": 2}
DESIGN = {"probe": {"units": 20, "noise": {"snr": 2.0}}, "seed": 0}
RESULT = {"activity": {"accuracy": 0.1 + 0.2, "confusion": [[3, 1], [0, 4]]}}


def test_a_result_that_was_kept_is_read_to_the_digit(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "small.compare"
    cache = ResultCache(folder, DECISIVE)
    assert cache.get(DESIGN) is None
    assert not folder.exists(), "looking makes no folder"
    cache.keep(DESIGN, RESULT)
    assert ResultCache(folder, DECISIVE).get(DESIGN) == RESULT
    assert len(list(folder.iterdir())) == 1


def test_a_result_is_found_whatever_the_order_of_keys(tmp_path: Path) -> None:
    ResultCache(tmp_path, DECISIVE).keep(DESIGN, RESULT)
    turned = {"seed": 0, "probe": {"noise": {"snr": 2.0}, "units": 20}}
    assert ResultCache(tmp_path, {"folds": 2, "seed": 3}).get(turned) == RESULT


@pytest.mark.parametrize(
    ("decisive", "design"),
    [
        ({**DECISIVE, "folds": 3}, DESIGN),
        ({"seed": 3}, DESIGN),
        (DECISIVE, {**DESIGN, "seed": 1}),
        (DECISIVE, {**DESIGN, "probe": {"units": 20, "noise": {"snr": 2.5}}}),
        (DESIGN, DECISIVE),
    ],
)
def test_what_decides_a_result_tells_it_from_others(
    decisive: dict[str, object], design: dict[str, object], tmp_path: Path
) -> None:
    ResultCache(tmp_path, DECISIVE).keep(DESIGN, RESULT)
    assert ResultCache(tmp_path, decisive).get(design) is None


def test_a_result_kept_again_replaces_the_first(tmp_path: Path) -> None:
    cache = ResultCache(tmp_path, DECISIVE)
    cache.keep(DESIGN, RESULT)
    cache.keep(DESIGN, {"activity": {}})
    assert cache.get(DESIGN) == {"activity": {}}
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("content", [b"", b'{"activity": ', b"[1, 2]", b"\xff\xfe"])
def test_a_damaged_file_is_named_with_its_remedy(content: bytes, tmp_path: Path) -> None:
    cache = ResultCache(tmp_path, DECISIVE)
    cache.keep(DESIGN, RESULT)
    [file] = tmp_path.iterdir()
    file.write_bytes(content)
    with pytest.raises(MachineError) as damaged:
        cache.get(DESIGN)
    assert str(damaged.value) == (
        f"{file} is damaged. Remove it, and the design is evaluated again."
    )
    file.unlink()
    assert cache.get(DESIGN) is None


def test_a_number_that_is_not_finite_is_refused_rather_than_kept(tmp_path: Path) -> None:
    cache = ResultCache(tmp_path, DECISIVE)
    with pytest.raises(ValueError, match="not JSON compliant"):
        cache.keep(DESIGN, {"accuracy": float("nan")})
    assert cache.get(DESIGN) is None


def test_a_full_disk_is_said_in_words_and_leaves_the_earlier_result(tmp_path: Path) -> None:
    cache = ResultCache(tmp_path, DECISIVE)
    cache.keep(DESIGN, RESULT)
    full = OSError(errno.ENOSPC, "No space left on device")
    with (
        mock.patch.object(result_cache, "write_json", side_effect=full),
        pytest.raises(MachineError, match="the disk is full"),
    ):
        cache.keep(DESIGN, {})
    assert cache.get(DESIGN) == RESULT
