"""Files of the factorial to hand round, and the notebook that opens them, on a tiny experiment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

import virtuallab as vl
from studies.benchmark import checksums
from studies.factorial import share
from studies.factorial.subjects import PROBE
from virtuallab.decoder.features.samples import PUBLISHED, by_subject
from virtuallab.errors import UserError

pytestmark = pytest.mark.slow  # the experiment is trained, and the notebook fits decoders

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "examples" / "open_the_factorial.ipynb"
# Three kinds, two model seeds of each; one rule diverges.
PROTOCOL = {
    "schema_version": 1,
    "name": "small",
    "question": "Which rule?",
    "seed": 3,
    "subjects": {
        "architectures": [{"name": "mlp", "hidden": [units]} for units in (4, 5, 6)],
        "tasks": [
            {"name": "digits", "train_images": 16, "validation_images": 10, "probe_images": 10}
        ],
        "rules": [
            "backprop",
            {"name": "feedback_alignment", "label": "feedback"},
            {
                "name": "backprop",
                "label": "wild",
                "optimizer": {"name": "sgd", "learning_rate": 1e30},
            },
        ],
        "optimizer": {"name": "sgd", "learning_rate": 0.05},
        "seeds": {"model": 2, "data": 1},
        "batch_size": 8,
        "steps": 4,
        "visits": 4,
        "cohort": 2,
    },
    "probes": {
        PROBE: {
            "units": 6,
            "synapses": 6,
            "observables": ["activity", "weights", "activity_change"],
            "keep": "statistics",
        }
    },
    "analyses": {},
}
EACH = 6  # subjects of a rule


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``runs/small.zarr`` and the shared files of it."""
    folder = tmp_path_factory.mktemp("project")
    vl.run(PROTOCOL, store=folder / "runs" / "small.zarr", workers=1)
    share.write_shared(folder / "runs" / "small.zarr", folder / "runs" / "nayebi2020_shared")
    return folder


@pytest.fixture
def shared(project: Path) -> Path:
    return project / "runs" / "nayebi2020_shared"


@pytest.fixture
def features(shared: Path) -> xr.Dataset:
    return xr.load_dataset(shared / share.FEATURES)


def test_all_files_are_there_and_have_their_checksums(shared: Path) -> None:
    names = {path.name for path in shared.iterdir()}
    expected = {"features.nc", "small.zarr", "small.records", "README.md", "LICENSE", "SHA256SUMS"}
    assert names == expected
    assert checksums.differences(shared, share.SUMS) == []
    assert (shared / "LICENSE").read_text("utf-8").startswith(share.TITLE)


def test_features_are_those_that_the_strict_scheme_reads(
    project: Path, features: xr.Dataset
) -> None:
    node = vl.open(project / "runs" / "small.zarr")[f"features/{PROBE}"].to_dataset().load()
    done = (features["status"] == "done").to_numpy()
    for observable in ("all", "activity", "weights"):
        own = features["column_observable"] == observable
        columns = slice(None) if observable == "all" else own.to_numpy()
        found = features["features"].to_numpy()[:, columns]
        np.testing.assert_array_equal(found[done], by_subject(node, observable).values[done])
    assert features["column"].values[0].endswith("|early|visits 1-1")
    assert len(set(features["column"].values)) == features.sizes["column"]


def test_published_statistics_are_in_single_precision(project: Path, features: xr.Dataset) -> None:
    node = vl.open(project / "runs" / "small.zarr")[f"features/{PROBE}"].to_dataset()
    assert set(features["statistic"].values) == set(PUBLISHED)
    assert features["stat"].dtype == np.float32
    before = node["stat"].sel(statistic=features["statistic"]).astype(np.float32)
    np.testing.assert_array_equal(features["stat"], before)
    assert set(features["statistic_observable"].values) == {
        "weights",
        "activity",
        "activity_change",
    }


def test_subjects_that_diverged_are_listed(features: xr.Dataset) -> None:
    wild = features["rule"] == "wild"
    assert set(features["status"].values[wild]) == {"diverged"}
    assert set(features["status"].values[~wild]) == {"done"}
    assert np.isnan(features["features"].values[wild]).all()
    assert np.isfinite(features["features"].values[~wild]).any(axis=1).all()
    assert (features["diverged_at"].values[wild] >= 0).all()


def test_settings_and_attributes_describe_the_file(project: Path, features: xr.Dataset) -> None:
    attributes = vl.open(project / "runs" / "small.zarr").attrs
    assert features.attrs["license"] == "CC-BY-4.0"
    assert features.attrs["protocol_sha256"] == attributes["protocol_sha256"]
    assert {"rule", "kind", "batch_size", "model_seed", "data_seed", "pair"} <= set(features.coords)
    assert len(np.unique(features["kind"])) == 3
    assert features["learning_rate"].attrs["units"] == "1"
    assert all(variable.attrs["long_name"] for variable in features.variables.values())


def test_the_store_is_a_copy_without_states(shared: Path) -> None:
    tree = vl.open(shared / "small.zarr")
    assert "snapshots" not in tree
    assert tree["subjects"].sizes["subject"] == 3 * EACH


def test_the_description_states_sizes_and_subjects(shared: Path) -> None:
    text = (shared / "README.md").read_text("utf-8")
    assert "| wild | 6 | 6 |" in text
    assert "| backprop | 6 | 0 |" in text
    assert "\n".join(share.files_table(shared)) in text
    assert "of 3 kinds" in text


def test_older_files_are_replaced_and_other_files_are_not(project: Path, tmp_path: Path) -> None:
    store = project / "runs" / "small.zarr"
    share.write_shared(store, tmp_path / "new")
    before = (tmp_path / "new" / share.SUMS).read_bytes()
    (tmp_path / "new" / "README.md").write_text("changed", encoding="utf-8")
    share.write_shared(store, tmp_path / "new")
    assert (tmp_path / "new" / share.SUMS).read_bytes() == before
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match="other files than those of a study"):
        share.write_shared(store, tmp_path / "other")
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("limit", "said"),
    [("LARGEST_FEATURES", r"features\.nc: 0 MB, above"), ("LARGEST", "all files: . MB, above")],
)
def test_files_that_are_too_large_are_refused(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, said: str
) -> None:
    monkeypatch.setattr(share, limit, 1000)
    with pytest.raises(UserError, match=said):
        share.write_shared(project / "runs" / "small.zarr", tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def _figures() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.mark.usefixtures("_figures")
def test_the_notebook_runs(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "examples").mkdir(exist_ok=True)
    monkeypatch.chdir(project / "examples")
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    names: dict[str, object] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    printed = capsys.readouterr().out
    assert "license: CC-BY-4.0" in printed
    assert "diverged: {'backprop': 0, 'feedback': 0, 'wild': 6}" in printed
    assert "/features/units_300" in printed
    assert "/snapshots" not in printed
    assert printed.count("chance 0.50") == 2
    [figure] = map(plt.figure, plt.get_fignums())
    assert [len(axis.lines) for axis in figure.axes] == [2, 2]


def test_the_notebook_is_small_and_complete() -> None:
    assert NOTEBOOK.stat().st_size < 500_000
    content = json.loads(NOTEBOOK.read_text("utf-8"))
    assert {cell["cell_type"] for cell in content["cells"]} == {"markdown", "code"}
    counts = [c["execution_count"] for c in content["cells"] if c["cell_type"] == "code"]
    assert counts in ([None] * len(counts), list(range(1, len(counts) + 1)))
