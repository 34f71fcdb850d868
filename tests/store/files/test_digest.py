"""Digests of files and of JSON."""

from __future__ import annotations

from pathlib import Path

import pytest

from virtuallab.store.files.digest import (
    file_digest,
    read_json,
    read_json_with_digest,
    write_json_with_digest,
)


def test_a_mapping_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "new" / "content.json"
    write_json_with_digest(file, {"number": 1e5, "text": "µm", "list": [1, None]})
    assert read_json_with_digest(file) == {"number": 1e5, "text": "µm", "list": [1, None]}


def test_every_changed_byte_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "content.json"
    write_json_with_digest(file, {"number": 1e5, "text": "a"})
    content = file.read_bytes()
    for place in range(len(content)):
        file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(ValueError):  # noqa: PT011  # of json, of unicode, or ours
            read_json_with_digest(file)


@pytest.mark.parametrize("text", ["[1]", "", "[" * 100_000])
def test_a_file_without_a_mapping_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text(text)
    with pytest.raises(ValueError):  # noqa: PT011
        read_json(tmp_path / "file")


def test_a_missing_file_has_no_digest(tmp_path: Path) -> None:
    assert file_digest(tmp_path / "missing") is None
