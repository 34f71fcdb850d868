"""The starter protocol and the schema beside it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from virtuallab.errors import MachineError, UserError
from virtuallab.lab import schema
from virtuallab.lab.init import write_starter
from virtuallab.protocol import STARTER


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_the_starter_names_the_schema_that_is_written_beside_it(tmp_path: Path) -> None:
    write_starter(tmp_path / "x.yaml")
    text = (tmp_path / "x.yaml").read_text("utf-8")
    assert text == STARTER.read_text("utf-8")
    named = text.splitlines()[0].partition("$schema=")[2]
    assert (tmp_path / named).read_text("utf-8") == schema.text()


@pytest.mark.parametrize("is_link", [False, True])
def test_a_file_that_is_there_is_left_alone_also_if_it_is_a_broken_link(
    tmp_path: Path, is_link: bool
) -> None:
    file = tmp_path / "x.yaml"
    file.symlink_to("nowhere") if is_link else file.write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match=r"x\.yaml exists and was left alone"):
        write_starter(file)
    assert [*tmp_path.iterdir()] == [file]
    assert file.is_symlink() if is_link else file.read_text("utf-8") == "mine"


def test_a_schema_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "schema").mkdir()
    there = tmp_path / "schema" / "protocol.schema.json"
    there.write_text("mine", encoding="utf-8")
    write_starter(tmp_path / "x.yaml")
    assert there.read_text("utf-8") == "mine"
    assert (tmp_path / "x.yaml").exists()


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="none"):
        write_starter(tmp_path / "none" / "x.yaml")
    assert not (tmp_path / "none").exists()


def test_a_folder_of_the_users_stays_where_the_schema_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "schema").mkdir()
    monkeypatch.setattr(schema, "text", full)
    with pytest.raises(MachineError, match="full"):
        write_starter(tmp_path / "x.yaml")
    assert [path.name for path in tmp_path.iterdir()] == ["schema"]


def test_a_starter_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MachineError, match="full"):
        write_starter(tmp_path / "x.yaml")
    assert not list(tmp_path.iterdir())


def test_a_starter_whose_schema_cannot_be_written_can_be_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as context:
        context.setattr(schema, "text", full)
        with pytest.raises(MachineError, match="full"):
            write_starter(tmp_path / "x.yaml")
    assert not list(tmp_path.iterdir())
    write_starter(tmp_path / "x.yaml")
    assert (tmp_path / "schema" / "protocol.schema.json").is_file()
