"""The commands as functions of Python: what they take, print, report and return."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import xarray as xr
from ruamel.yaml import YAML

import virtuallab as vl
from tests.journeys.conftest import PROTOCOL
from virtuallab.errors import ProtocolError
from virtuallab.lab.planning.plan import Plan
from virtuallab.protocol.reading.read import as_protocol

NAMES = {
    *("Protocol", "plan", "run", "probe", "decode", "compare", "power", "search"),
    *("identify", "score", "report", "open", "export"),
}


def settings() -> dict[str, object]:
    found: dict[str, object] = YAML(typ="safe").load(PROTOCOL)
    return found


def test_the_package_shows_the_commands_and_nothing_else() -> None:
    assert {*dir(vl)} == {*NAMES, "__version__"}
    assert {*vl.__all__} == NAMES
    assert all(getattr(vl, name) is not None for name in NAMES)
    with pytest.raises(AttributeError, match="no attribute 'rnu'"):
        vl.rnu  # type: ignore[attr-defined]  # noqa: B018


def test_the_stub_declares_the_same_names() -> None:
    text = Path(vl.__file__).with_name("__init__.pyi").read_text()
    assert {line.rpartition(" as ")[2] for line in text.splitlines() if " as " in line} == NAMES


def test_importing_the_package_imports_no_library() -> None:
    script = "import sys, virtuallab; print(*{m.partition('.')[0] for m in sys.modules})"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert not {"torch", "xarray", "numpy", "pydantic"} & {*found.stdout.split()}


@pytest.fixture(scope="module")
def told() -> list[tuple[str, int, int]]:
    return []


@pytest.fixture(scope="module")
def tree(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[str, int, int]]
) -> Iterator[xr.DataTree]:
    """Run a protocol that is given as plain data, in an empty folder."""
    folder = tmp_path_factory.mktemp("python")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield vl.run(settings(), workers=1, progress=lambda *each: told.append(each))


def test_a_mapping_runs_and_every_stage_reports_its_progress(
    tree: xr.DataTree, told: list[tuple[str, int, int]]
) -> None:
    assert Path("runs/small.zarr").is_dir()
    ends = {stage: (done, total) for stage, done, total in told}
    assert ends["subjects trained"] == (16, 16)
    assert ends["recordings made"] == (32, 32)
    assert all(done == total for done, total in ends.values())
    for stage in ends:
        counts = [done for name, done, _ in told if name == stage]
        assert counts == sorted(counts)


def test_results_are_labelled_arrays_and_tidy_tables(tree: xr.DataTree) -> None:
    table = tree.lab.to_frame()
    assert isinstance(table, pd.DataFrame)
    assert table["analysis"].tolist() == ["main", "main"]
    assert table["probe"].tolist() == ["sparse", "whole"]
    stored = tree["decoding/main"]["balanced_accuracy"].sel(observable="activity").values.ravel()
    assert table["balanced_accuracy"].tolist() == stored.tolist()
    assert (table["accuracy_low"] <= table["balanced_accuracy"]).all()
    recording = tree["recordings/sparse/mlp"].to_dataset()
    activity = recording.lab.to_frame()
    assert len(activity) == recording["activity"].notnull().sum()
    assert {"subject", "rule", "visit", "stimulus", "unit", "activity"} <= {*activity.columns}


def test_a_protocol_a_mapping_and_a_file_are_the_same(
    tree: xr.DataTree, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("small.yaml").write_text(PROTOCOL)
    built = vl.Protocol.model_validate(settings())
    for given in (built, settings(), Path("small.yaml"), "small.yaml"):
        found = as_protocol(given).resolved()
        assert found == json.loads(tree.attrs["protocol_resolved"])
    again = vl.run(built, workers=1)  # continues in the store of the mapping
    assert again.attrs == tree.attrs
    assert capsys.readouterr() == ("", "")


def test_settings_built_in_python_leave_a_protocol_that_can_be_run_again(
    tree: xr.DataTree, tmp_path: Path
) -> None:
    file = tmp_path / "again.yaml"
    file.write_text(tree.attrs["protocol_yaml"])
    assert vl.plan(file, workers=1).protocol.resolved() == json.loads(
        tree.attrs["protocol_resolved"]
    )


def test_nothing_is_printed_unless_asked(
    tree: xr.DataTree, capsys: pytest.CaptureFixture[str]
) -> None:
    vl.report("runs/small.zarr")
    assert capsys.readouterr().out == ""
    vl.report("runs/small.zarr", verbose=True)
    assert "balanced accuracy" in capsys.readouterr().out


def test_overrides_change_a_protocol_of_any_form() -> None:
    few = ["subjects.replicates=1", "analyses={}"]
    for given in (settings(), vl.Protocol.model_validate(settings())):
        found = vl.plan(given, few, workers=1)
        assert isinstance(found, Plan)
        assert len(found.subjects) == 4
        assert found.costs is not None
        assert sum(map(len, found.costs.cohorts)) == 4
        assert len(found.to_frame()) == found.to_dataset().sizes["subject"] == 4


def test_faults_of_a_mapping_are_named_by_their_keys() -> None:
    wrong = settings() | {"seeed": 3}
    with pytest.raises(ProtocolError, match=r"protocol: seeed: unknown key.*seed"):
        vl.run(wrong)


def test_probes_are_implanted_and_removed(tree: xr.DataTree) -> None:
    more = settings() | {"probes": {"few": {"units": 5}}}
    assert "few" in vl.probe("runs/small.zarr", more, workers=1)["features"]
    assert "few" not in vl.probe("runs/small.zarr", remove=["few"])["features"]


@pytest.mark.slow
def test_a_single_recording_is_identified(tree: xr.DataTree) -> None:
    found = vl.identify(
        "runs/small.zarr",
        "runs/small.zarr/recordings/sparse/knet4",
        subject="sub-0001",
        probe="sparse",
        workers=1,
    )
    assert found.lab.to_frame()["probability"].sum() == pytest.approx(1)


@pytest.mark.slow
def test_designs_are_compared_and_searched(tree: xr.DataTree) -> None:
    designs = {
        "compare": {"designs": {"array": {"units": [5, 20]}}, "seeds": 2, "folds": 2},
        "power": {
            "design": {"units": {"log_uniform": [2, 20]}},
            "target": 0.7,
            "trials": 4,
            "generation": 2,
            "seeds": 1,
            "folds": 2,
        },
        "search": {"trials": 2, "generation": 2, "seeds": 1},
    }
    more = settings() | designs
    found = vl.compare(more, subjects="runs/small.zarr", workers=1)
    table = found.lab.to_frame()
    assert len(table) == 2 * found["balanced_accuracy"].notnull().sum()
    power = vl.power(more, subjects="runs/small.zarr", workers=1)
    assert len(power.to_frame()) == power.to_dataset().sizes["design"] == 4
    trials = vl.search(more, workers=1)
    assert trials.sizes["row"] == len(trials.lab.to_frame()) > 0
