from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

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


@pytest.mark.parametrize("given", [xr.Dataset({"a": 1}), xr.DataTree(), None, 3])
def test_what_is_no_path_is_named_with_its_argument(given: Any) -> None:
    kind = re.escape(type(given).__qualname__)
    with pytest.raises(TypeError, match=rf"^store: should be a path .* found \S*{kind}\. Give"):
        expanded(given, "store")
