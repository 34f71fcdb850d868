from __future__ import annotations

from pathlib import Path

import pytest

from tests.store.toy import NODE, STAGE, new_store, sample
from virtuallab.errors import MachineError


def test_a_record_comes_back_by_subject_in_order(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    for index in (4, 0, 2):
        store.commit(STAGE, index, {"status": index})
    found = store.committed(STAGE)
    assert list(found) == [0, 2, 4]
    assert [record["status"] for record in found.values()] == [0, 2, 4]
    assert store.committed("nothing was done here") == {}
    assert store.committed_subjects(STAGE) == {0, 2, 4}
    assert store.committed_subjects("nothing was done here") == set()


@pytest.mark.parametrize("content", ["{", "", "[1]", "null"])
def test_a_damaged_record_is_named(tmp_path: Path, content: str) -> None:
    store = new_store(tmp_path)
    store.commit(STAGE, 0, {})
    path = tmp_path / "lab.records" / STAGE / "000000.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(
        MachineError, match=r"000000\.json .sub-0001. is damaged: .* virtuallab run"
    ):
        store.committed(STAGE)
    with pytest.raises(MachineError, match=r"000000\.json .sub-0001. is damaged"):
        store.committed_subjects(STAGE)


def test_what_a_kill_or_an_editor_leaves_is_no_record(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    store.commit(STAGE, 0, {})
    for name in ("000001.json.tmp", "._000000.json", "notes.txt"):
        (tmp_path / "lab.records" / STAGE / name).write_text("{", encoding="utf-8")
    assert list(store.committed(STAGE)) == [0]


def test_a_subject_whose_chunk_is_not_there_is_not_committed(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    checksums = store.write(NODE, 0, sample(1.0))
    with pytest.raises(MachineError, match="No such file"):
        store.commit(STAGE, 1, {"checksums": {NODE: checksums}})
    assert store.committed(STAGE) == {}
