"""The file of a search: one process at a time, and nothing else is written over."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest

from virtuallab.errors import StoreError, UserError
from virtuallab.lab.tuning.optuna_storage import open_storage


def studies(path: Path) -> list[str]:
    with open_storage(path) as storage:
        return optuna.get_all_study_names(storage)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a search that has one study, in a folder that had to be made."""
    path = tmp_path / "runs" / "mine.journal"
    with open_storage(path) as storage:
        optuna.create_study(storage=storage, study_name="first")
    return path


def test_what_is_written_is_there_when_the_file_is_opened_again(path: Path) -> None:
    assert studies(path) == ["first"]


def test_a_line_that_a_killed_process_left_unfinished_is_cut_off(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"op_code":0,"wor')
    assert studies(path) == ["first"]
    assert path.read_bytes() == whole


def test_the_lock_of_a_killed_search_is_removed(path: Path) -> None:
    lock = Path(f"{path}.lock")
    lock.touch()
    assert studies(path) == ["first"]
    assert not lock.exists()


def test_another_file_with_the_name_of_the_lock_stays(path: Path) -> None:
    lock = Path(f"{path}.lock")
    lock.write_text("mine")
    with pytest.raises(StoreError, match="is in the way"):
        studies(path)
    assert lock.read_text() == "mine"


def test_one_process_searches_at_a_time(path: Path) -> None:
    with open_storage(path), pytest.raises(UserError, match="another search is using"):
        studies(path)
    assert studies(path) == ["first"]


@pytest.mark.parametrize("content", ["name: mine", '{"op_code":0}\nnonsense\n{}\n'])
def test_a_file_that_is_not_of_a_search_is_refused_and_stays_as_it_was(
    content: str, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.write_text(content)
    with pytest.raises(StoreError, match="is no file of a search"):
        studies(other)
    assert other.read_text() == content


def test_nothing_is_written_through_a_link(path: Path) -> None:
    link = path.with_name("link.journal")
    link.symlink_to(path)
    with pytest.raises(StoreError, match="is a link"):
        studies(link)
