from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from virtuallab.cli import app, options
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


def test_every_path_of_every_command_is_expanded() -> None:
    missing = [
        f"{command.callback.__name__}: {name}"
        for command in app.registered_commands
        if command.callback is not None
        for name, annotation in command.callback.__annotations__.items()
        if "Path" in str(annotation)
        and "parser=as_path" not in str(annotation)
        and annotation not in ("ProtocolFile", "StorePath", "StoreOption", "SubjectsOption")
    ]
    assert missing == []
    for shared in (
        options.ProtocolFile,
        options.StorePath,
        options.StoreOption,
        options.SubjectsOption,
    ):
        assert shared.__metadata__[0].parser is options.as_path


def test_the_home_folder_is_meant_in_arguments(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["init", "~/mine.yaml"])
    assert done.exit_code == 0, done.output
    assert sorted(each.name for each in tmp_path.iterdir()) == ["mine.yaml", "schema"]
