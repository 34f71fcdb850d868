"""State and contents of an experiment, for the terminal."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import xarray as xr
import zarr
from rich.console import Console, RenderableType

from tests.lab.stages.tiny import TEXT
from tests.store.toy import contents
from virtuallab.errors import MachineError, StoreError
from virtuallab.lab.status import info, status
from virtuallab.store import Store, writer
from virtuallab.vocabulary import DIVERGED


def printed(what: RenderableType, width: int = 200) -> str:
    console = Console(width=width)
    with console.capture() as captured:
        console.print(what)
    return captured.get()


def record(store: Path, index: int) -> Path:
    return store.with_name("lab.records") / "subjects" / f"{index:06d}.json"


def test_it_says_that_every_file_was_verified(experiment: Path) -> None:
    said = "Every file has the digest with which it was written."
    assert said in printed(status(experiment, verify=True)[0])
    assert said not in printed(status(experiment)[0])
    (experiment / "truth" / "zarr.json").write_text("{}")
    assert said not in printed(status(experiment, verify=True)[0])


def test_each_stage_has_a_row_with_how_far_it_is(experiment: Path) -> None:
    (experiment.with_name("lab.records") / "probe-some" / "000001.json").unlink()
    before = contents(experiment.parent)
    table, damage = status(experiment)
    assert re.search(r"train +8 +8 +8 done", printed(table))
    assert re.search(r"probe some +7 +8", printed(table))
    assert damage == []
    assert contents(experiment.parent) == before, "nothing is written"


def test_subjects_that_diverged_or_are_pending_are_counted_and_not_awaited_by_probes(
    experiment: Path,
) -> None:
    kept = Store.open(experiment).committed("subjects")[0]
    record(experiment, 3).unlink()
    record(experiment, 0).unlink()
    with writer(experiment):
        Store.open(experiment).commit("subjects", 0, {**kept, "status": DIVERGED})
    text = printed(status(experiment)[0])
    assert re.search(r"train +7 +8 +1 diverged, 6 done, 1 pending", text)
    assert re.search(r"probe some +8 +6", text)


def test_analyses_of_the_protocol_and_of_others_are_listed(experiment: Path) -> None:
    with writer(experiment):
        store = Store.open(experiment)
        store.write_table("decoding/added", xr.Dataset({"x": ("fold", [1.0])}))
        store.finish()
    text = printed(status(experiment)[0])
    assert re.search(r"decode added +1 +1", text)
    assert re.search(r"decode main +0 +1", text)


def test_damaged_records_are_named_and_the_others_are_counted(experiment: Path) -> None:
    for index in (0, 2):
        record(experiment, index).write_text("", encoding="utf-8")
    table, lines = status(experiment)
    assert [line.split(" (")[0][-11:] for line in lines] == ["000000.json", "000002.json"]
    assert re.search(r"train +6 +8", printed(table))


def test_damaged_values_are_found_only_where_every_file_is_verified(experiment: Path) -> None:
    (experiment / "snapshots" / "mlp" / "state" / "c.1.0.0").write_bytes(b"x")
    assert status(experiment)[1] == []
    [line] = status(experiment, verify=True)[1]
    assert re.search(r"state/c\.1\.0\.0 \(sub-0002\) is damaged.*To make it anew: ", line)


def test_a_damaged_root_is_a_line_where_every_file_is_verified_and_else_an_error(
    experiment: Path,
) -> None:
    (experiment / "zarr.json").unlink()
    with pytest.raises(MachineError, match=r"zarr\.json"):
        status(experiment)
    table, lines = status(experiment, verify=True)
    assert any("zarr.json is missing" in line for line in lines)
    assert "has to be made anew first" in printed(table)


def test_a_store_that_is_not_there_is_refused(experiment: Path) -> None:
    for verify in (True, False):
        with pytest.raises(StoreError, match=r"lav\.zarr"):
            status(experiment.with_name("lav.zarr"), verify=verify)


def test_contents_are_the_provenance_the_sizes_and_the_protocol_as_it_was_written(
    experiment: Path,
) -> None:
    shutil.rmtree(experiment.with_name("lab.records"))
    text = printed(info(experiment))
    assert re.search(r"title +tiny", text)
    assert re.search(r"recordings/some/mlp +subject 8, visit 3, stimulus 10, unit 2", text)
    assert text.rstrip().endswith(TEXT.rstrip())
    for hidden in ("protocol_resolved", "protocol_yaml"):
        assert hidden not in text


def test_a_long_value_is_shortened(experiment: Path) -> None:
    # Without its records a store is opened as it is.
    shutil.rmtree(experiment.with_name("lab.records"))
    root = zarr.open_group(experiment, mode="r+")
    root.attrs.update({"title": "t" * 201, "summary": "s" * 200})
    text = printed(info(experiment), 1000)
    assert f"{'t' * 197}..." in text
    assert "t" * 198 not in text
    assert "s" * 200 in text
