from __future__ import annotations

from pathlib import Path

import pytest

from virtuallab.errors import UserError
from virtuallab.paths import expanded


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expanded("~/runs/a.zarr") == tmp_path / "runs" / "a.zarr"
    assert expanded(Path("~/a")) == tmp_path / "a"
    assert expanded("./~/a") == Path("./~/a")
    with pytest.raises(UserError, match="no home folder of 'nobody-here'"):
        expanded("~nobody-here/a.zarr")


def test_a_folder_is_known_by_its_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "a.zarr" / "features").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a.zarr" / "features")
    assert expanded("..") == tmp_path / "a.zarr"
    assert expanded(".") == tmp_path / "a.zarr" / "features"
    with pytest.raises(UserError, match="the path is empty"):
        expanded("")
