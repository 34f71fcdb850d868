"""The benchmark set of two tiny experiments: its files, and what they hide."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from ruamel.yaml import YAML

import virtuallab as vl
from studies import benchmark_set
from studies.benchmark import checksums
from studies.benchmark.recordings import _digest_of_states, rounded
from tests.lab.stages.tiny import TEXT
from virtuallab.errors import UserError
from virtuallab.lab.planning.validation import make_plan
from virtuallab.lab.services.console import console_of
from virtuallab.lab.services.workers import LocalPool
from virtuallab.lab.stages.experiment import open_experiment, train_all
from virtuallab.lab.stages.nodes import TRAIN
from virtuallab.protocol import read_text
from virtuallab.store import Store, writer
from virtuallab.vocabulary import DONE

UNITS, STIMULI = 4, 6
SIZES = {"units": UNITS, "stimuli": STIMULI, "workers": 1, "inner_folds": 2}
PUBLIC = {"subject", "kind"}


def trained(store: Path, *overrides: str) -> Path:
    """Train a tiny experiment, without probes."""
    plan = make_plan(read_text(TEXT, name="tiny.yaml", overrides=overrides))
    with writer(store, makes=True):
        experiment = open_experiment(plan, store, 1, console_of())
        train_all(experiment, pool=LocalPool(1), device="cpu", console=console_of())
        experiment.store.finish()
    return store


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Experiments of 12 subjects of one kind, and of 8 of two other kinds."""
    folder = tmp_path_factory.mktemp("stores")
    training = trained(
        folder / "a.zarr",
        "name=known",
        "subjects.replicates=6",
        "subjects.paired=[initial_weights]",
    )
    test = trained(
        folder / "b.zarr",
        "name=confirmation",
        "seed=4",
        "subjects.architectures=[{name: mlp, hidden: [5]}, {name: mlp, hidden: [6, 4]}]",
    )
    return training, test


@pytest.fixture(scope="module")
def made(stores: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("set") / "set"
    before = [checksums._digests(store) for store in stores]
    benchmark_set.make(*stores, out, **SIZES)
    assert [checksums._digests(store) for store in stores] == before, "stores are only read"
    return out


def test_the_test_recordings_have_no_label_and_no_other_column(
    made: Path, stores: tuple[Path, Path]
) -> None:
    labels = pd.read_csv(made / "labels.csv")
    with xr.open_dataset(made / "test.nc") as test:
        assert {*test.data_vars} == {"activity", "stimulus_label", "unit_depth"}
        assert {*test.coords} == {"subject", "kind", "step"}
        assert test["kind"].values.tolist() == labels["kind"].tolist()
        attributes = json.dumps([test.attrs, *(v.attrs for v in test.variables.values())])
        assert test["activity"].shape == (8, 3, STIMULI, UNITS)
    assert not {"backprop", "fa", "rule", "confirmation"} & {*re.findall(r"\w+", attributes)}
    content = (made / "test.nc").read_bytes()
    for word in ("backprop", "feedback_alignment", "confirmation", "sub-", str(stores[1].parent)):
        assert word.encode() not in content
        assert word.encode() not in (made / "test_features.csv").read_bytes()
    assert b"backprop" in (made / "training.nc").read_bytes(), "text in such a file is legible"
    features = pd.read_csv(made / "test_features.csv")
    assert {*features.columns[:2]} == PUBLIC
    assert all(name.count("|") == 2 for name in features.columns[2:])


def test_no_column_of_the_table_of_subjects_is_in_the_test_files(
    made: Path, stores: tuple[Path, Path]
) -> None:
    columns = {*map(str, Store.open(stores[1]).subjects.variables)} - {"subject"}
    assert {"rule", "learning_rate", "optimizer", "key", "status"} <= columns
    with xr.open_dataset(made / "test.nc") as test:
        assert not columns & {*map(str, test.variables)}
    assert not columns & {*pd.read_csv(made / "test_features.csv").columns}


def test_names_and_order_of_test_subjects_do_not_follow_the_experiment(
    made: Path, stores: tuple[Path, Path]
) -> None:
    labels = pd.read_csv(made / "labels.csv")
    assert labels.groupby(["kind", "rule"]).size().tolist() == [2, 2, 2, 2]
    assert labels["subject"].tolist() == [f"test-{n:04d}" for n in range(1, 9)]
    stored = Store.open(stores[1]).subjects["rule"].values.tolist()
    assert sorted(labels["rule"]) == sorted(stored)
    assert labels["rule"].tolist() != stored


def test_no_value_of_a_recording_is_missing(made: Path) -> None:
    """Missing values would tell which subjects diverged."""
    for name in ("training.nc", "test.nc"):
        with xr.open_dataset(made / name) as found:
            assert np.isfinite(found["activity"]).all()


def test_the_choice_of_units_and_stimuli_does_not_depend_on_the_rule(
    made: Path, stores: tuple[Path, Path], tmp_path: Path
) -> None:
    """Other subjects under the same names show the same stimuli and are read at the same units."""
    other = trained(
        tmp_path / "c.zarr",
        "name=confirmation",
        "seed=4",
        "subjects.architectures=[{name: mlp, hidden: [5]}, {name: mlp, hidden: [6, 4]}]",
        "subjects.rules=[{name: feedback_alignment, label: backprop}, {name: backprop, label: fa}]",
    )
    benchmark_set.make(stores[0], other, tmp_path / "set", **SIZES)
    with (
        xr.open_dataset(made / "test.nc") as one,
        xr.open_dataset(tmp_path / "set" / "test.nc") as two,
    ):
        same = one["kind"].to_numpy() == two["kind"].to_numpy()  # orders differ with the states
        assert same.any()
        for name in ("stimulus_label", "unit_depth"):
            np.testing.assert_array_equal(one[name][same], two[name][same])


def test_the_order_of_subjects_depends_on_their_states(stores: tuple[Path, Path]) -> None:
    """Otherwise the public protocol and seed would tell which subject is which."""
    store = Store.open(stores[1])
    first = _digest_of_states(store)
    assert first == _digest_of_states(Store.open(stores[1]))
    assert first != _digest_of_states(Store.open(stores[0]))
    records = store.committed(TRAIN)
    states = next(iter(records[0]["checksums"]))
    changed = dict.fromkeys(records[0]["checksums"][states], "0")
    records[0]["checksums"][states] = changed
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "committed", lambda *_: records)
        assert first != _digest_of_states(store)


def test_training_recordings_have_labels_and_are_as_recorded(
    made: Path, stores: tuple[Path, Path]
) -> None:
    with xr.open_dataset(made / "training.nc") as training:
        assert training["activity"].shape == (12, 3, STIMULI, UNITS)
        assert training["activity"].dtype == np.float32
        values = training["activity"].to_numpy()
        np.testing.assert_array_equal(values, rounded(values))
        assert np.isfinite(values).all()
        assert (values != values[0]).any()
        assert {"rule", "kind", "pair"} <= {*training.coords}
        stored = Store.open(stores[0])
        assert sorted(training["rule"].values) == sorted(stored.subjects["rule"].values)
        assert training["step"].values.tolist() == list(stored.plan["visits"])
        table = pd.read_csv(made / "training_features.csv")
        for name in ("subject", "rule", "kind", "pair"):
            assert table[name].tolist() == training[name].values.tolist()
        for _, pair in table.groupby("pair"):
            assert sorted(pair["rule"]) == ["backprop", "fa"]


def test_baselines_are_scored_by_the_command(made: Path) -> None:
    table = pd.read_csv(made / "baselines.csv").set_index("baseline")
    assert [*table.index] == [
        *("uniform", "label_prior", "logistic_regression", "kernel_svm", "random_forest")
    ]
    assert table.loc["uniform", "balanced_accuracy"] == 0.5
    assert table.loc["uniform", "log_loss"] == pytest.approx(np.log(2), abs=1e-4)
    for name in table.index:
        found = vl.score(made / "predictions" / f"{name}.csv", made / "labels.csv")
        for score in ("balanced_accuracy", "log_loss", "brier", "calibration_error"):
            assert float(found[score]) == pytest.approx(table.loc[name, score], abs=1e-4)
    text = (made / "baselines.md").read_text()
    assert all(f"| {name} |" in text for name in table.index)
    assert text in (made / "README.md").read_text()


def test_metadata_can_be_read_and_state_the_set(made: Path) -> None:
    readme = (made / "README.md").read_text()
    assert "| backprop | 6 | 4 |" in readme
    assert "CC-BY-4.0" in readme
    assert "seed 4" in readme
    cited = YAML(typ="safe").load((made / "CITATION.cff").read_text())
    data = json.loads((made / "datacite.json").read_text())
    version = (made / "VERSION").read_text().strip()
    assert cited["version"] == data["version"] == version
    assert cited["type"] == "dataset"
    assert data["doi"] == ""
    required = {"creators", "titles", "publisher", "publicationYear", "types", "schemaVersion"}
    assert required <= data.keys()
    assert data["types"]["resourceTypeGeneral"] == "Dataset"
    assert "CC-BY-4.0" in (made / "LICENSE").read_text()
    assert (made / "protocols" / "known.yaml").read_text() == TEXT


def test_the_same_stores_give_the_same_files(
    made: Path, stores: tuple[Path, Path], tmp_path: Path
) -> None:
    benchmark_set.make(*stores, tmp_path / "set", **{**SIZES, "workers": 2})
    name = checksums.FILE
    assert (tmp_path / "set" / name).read_bytes() == (made / name).read_bytes()


def test_changed_missing_and_additional_files_are_found(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    copy = shutil.copytree(made, tmp_path / "set")
    benchmark_set.main(["--verify", "--out", str(copy)])
    assert "as it was written" in capsys.readouterr().out
    (copy / "VERSION").write_text("2\n")
    (copy / "LICENSE").unlink()
    (copy / "own.txt").write_text("")
    with pytest.raises(SystemExit) as ended:
        benchmark_set.main(["--verify", "--out", str(copy)])
    said = str(ended.value.code).splitlines()
    assert [line.partition(f"{copy}/")[2] for line in said] == [
        "LICENSE: is missing",
        "VERSION: is not the file that was written",
        "own.txt: is not part of the set",
    ]


def test_diverged_subjects_are_left_out_and_counted(
    stores: tuple[Path, Path], tmp_path: Path
) -> None:
    wild = trained(
        tmp_path / "wild.zarr",
        "name=wild",
        "subjects.optimizer={name: sgd, learning_rate: [0.05, 1.0e+30]}",
    )
    lost = int((Store.open(wild).subjects["status"] != DONE).sum())
    assert lost == 4
    out = tmp_path / "set"
    benchmark_set.make(stores[0], wild, out, with_recordings=False, **SIZES)
    assert len(pd.read_csv(out / "labels.csv")) == 8 - lost
    assert f"{lost} of 8 test subjects" in (out / "README.md").read_text()
    assert not (out / "test.nc").exists()


def test_scores_of_the_default_set_are_written_to_the_documentation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(training: Path, test: Path, out: Path, **_: object) -> None:
        out.mkdir(parents=True)
        (out / "baselines.md").write_text(f"| scores of {out.name} |\n")

    monkeypatch.setattr(benchmark_set, "ROOT", tmp_path)
    monkeypatch.setattr(benchmark_set, "make", make)
    monkeypatch.chdir(tmp_path)
    benchmark_set.RESULT.parent.mkdir(parents=True)
    benchmark_set.main([])
    benchmark_set.main(["--out", "runs/mine"])
    assert benchmark_set.RESULT.read_text() == "| scores of benchmark_set |\n"


def test_what_cannot_be_a_set_is_refused(stores: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(UserError, match="is no benchmark set, and is not empty"):
        benchmark_set.make(*stores, tmp_path, **SIZES)
    with pytest.raises(UserError, match="both called 'known'"):
        benchmark_set.make(stores[0], stores[0], tmp_path / "set", **SIZES)
    with pytest.raises(UserError, match="the subjects cannot be recorded: units"):
        benchmark_set.make(*stores, tmp_path / "set", **{**SIZES, "units": 1000})
    others = trained(tmp_path / "o.zarr", "subjects.rules=[backprop, kolen_pollack]")
    with pytest.raises(UserError, match="have other rules"):
        benchmark_set.make(stores[0], others, tmp_path / "set", **SIZES)
    assert not (tmp_path / "set").exists()


def test_values_are_rounded_to_the_nearest_of_half_precision() -> None:
    stream = np.random.default_rng(0)
    values = np.exp(stream.normal(0, 20, 1000)).astype(np.float32) * stream.choice([-1, 1], 1000)
    values = values.astype(np.float32)
    short = rounded(values)
    assert (np.abs(short - values) <= 2.0**-11 * np.abs(values)).all()
    assert not (short.view(np.uint32) & 0x1FFF).any()
    middle = values[(np.abs(values) > 1e-3) & (np.abs(values) < 6e4)]
    np.testing.assert_array_equal(rounded(middle), middle.astype(np.float16).astype(np.float32))
    special = np.array([0.0, -0.0, np.nan, np.inf], dtype=np.float32)
    np.testing.assert_array_equal(rounded(special), special)


def test_the_decoder_of_the_documentation_can_be_scored(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Path(vl.__file__).parents[1] / "docs" / "questions" / "test_a_decoder.md"
    [code] = re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), flags=re.DOTALL)
    assert "virtuallab" not in code
    for name in ("training_features.csv", "test_features.csv"):
        shutil.copy(made / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, page.name, "exec"), {})
    found = vl.score("predictions.csv", made / "labels.csv")
    assert found.attrs["subjects"] == 8
