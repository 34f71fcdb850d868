"""Commands on a damaged experiment: nothing is read of it, and it is made anew as it was."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import virtuallab as vl
from tests.store.toy import contents
from virtuallab.errors import MachineError, VirtuallabWarning
from virtuallab.lab.identification.identify import identify
from virtuallab.lab.status import status
from virtuallab.store import open_tree

PROTOCOL = """\
schema_version: 1
name: small
seed: 3
subjects:
  architectures: [{name: mlp, hidden: [6]}]
  tasks: [{name: digits, train_images: 160, validation_images: 40, probe_images: 12}]
  rules: [backprop, feedback_alignment]
  optimizer: {name: sgd, learning_rate: 0.05}
  replicates: 4
  batch_size: 16
  epochs: 1
  visits: 3
  cohort: 4
probes:
  some: {units: 6, synapses: 6}
analyses:
  main: {observables: [activity], classifiers: [logistic_regression], folds: 2, inner_folds: 2, \
repeats: 1, permutations: 1}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    (folder / "small.yaml").write_text(PROTOCOL, encoding="utf-8")
    vl.run(folder / "small.yaml", store=folder / "lab.zarr", workers=1)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "copy")


def test_missing_values_are_never_decoded_probed_or_drawn(folder: Path) -> None:
    store = folder / "lab.zarr"
    for index in (1, 3):
        (store / "features" / "some" / "stat" / f"c.{index}.0.0.0").unlink()
    with pytest.raises(MachineError, match=r"(?s)stat/c\.1.*sub-0002.* is missing.*\n.*sub-0004"):
        vl.decode(store, workers=1)
    (store / "snapshots" / "mlp" / "state" / "c.2.0.0").write_bytes(b"")
    new = folder / "new.yaml"
    new.write_text(PROTOCOL.replace("some:", "new:"), encoding="utf-8")
    with pytest.raises(MachineError, match=r"state/c\.2\.0\.0 .sub-0003. is damaged"):
        vl.probe(store, new, workers=1)
    recording = store / "recordings" / "some" / "mlp"
    for file in (recording / "activity").glob("c.0.*"):
        shutil.copy(file, file.with_name(file.name.replace("c.0.", "c.4.", 1)))
        file.unlink()
    with pytest.raises(MachineError, match=r"recordings/some/mlp/activity/c\.0.* .sub-0001."):
        vl.report(store, folder / "page.html")
    assert not (folder / "page.html").exists()
    with pytest.raises(MachineError, match=r"activity/c\.4.* .sub-0005. is damaged"):
        identify(store, recording, subject="sub-0005", probe="some")


def test_run_makes_anew_what_is_damaged_and_nothing_else(folder: Path, made: Path) -> None:
    store, records = folder / "lab.zarr", folder / "lab.records"
    for name in ("features/some/stat/c.3.0.0.0", "snapshots/mlp/state/c.4.0.0"):
        (store / name).write_bytes(b"")
    for name in (
        "features/some/stat/zarr.json",
        "features/zarr.json",
        "truth/step/c/0",
        "zarr.json",
    ):
        (store / name).unlink()
    for name in ("subjects/learning_rate/c/0", "decoding/main/interval/zarr.json"):
        (store / name).write_bytes(b"\x00")
    (records / "subjects" / "000006.json").write_text("{", encoding="utf-8")
    (records / "probe-some" / "000007.json").write_text("", encoding="utf-8")
    untouched = (records / "subjects" / "000001.json").read_bytes()
    assert len(status(store, verify=True)[1]) == 10
    vl.run(folder / "small.yaml", store=store, workers=1)
    assert status(store, verify=True)[1] == []
    assert contents(store) == contents(made / "lab.zarr")
    assert (records / "subjects" / "000001.json").read_bytes() == untouched


OTHER = PROTOCOL.replace("some:", "more:").replace("main: {", "added: {probes: [more], ")


@pytest.fixture(scope="module")
def extended(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The experiment with a probe and an analysis of another protocol in it."""
    folder = shutil.copytree(made, tmp_path_factory.mktemp("extended") / "copy")
    other = folder / "other.yaml"
    other.write_text(OTHER, encoding="utf-8")
    vl.probe(folder / "lab.zarr", other, workers=1)
    vl.decode(folder / "lab.zarr", other, workers=1)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "left_out"),
    [
        ("decoding/added/interval/zarr.json", "/decoding/added"),
        ("decoding/added/balanced_accuracy/c/0/0/0", "/decoding/added"),
        ("recordings/more/zarr.json", "/recordings/more"),
        ("recordings/more/mlp/unit_layer/c/0", "/recordings/more/mlp"),
    ],
)
def test_work_ends_with_its_verdict_though_what_others_added_is_damaged(
    extended: Path, tmp_path: Path, name: str, left_out: str
) -> None:
    folder = shutil.copytree(extended, tmp_path / "copy")
    store, page = folder / "lab.zarr", folder / "lab.html"
    whole = open_tree(store)
    (store / name).write_bytes(b"x")
    page.unlink()
    with pytest.warns(VirtuallabWarning, match=rf"left out: .*{name} is damaged"):
        tree = vl.run(folder / "small.yaml", store=store, workers=1)
    assert page.is_file()
    assert {g for g in whole.groups if not f"{g}/".startswith(f"{left_out}/")} >= {*tree.groups}
    assert left_out not in tree.groups
    for group in ("/subjects", "/truth", "/features/some", "/features/more", "/snapshots/mlp"):
        assert tree[group].to_dataset().identical(whole[group].to_dataset()), group
    with pytest.warns(VirtuallabWarning, match=f"{name} is damaged"):
        vl.decode(store, workers=1)
    page.unlink()
    with pytest.raises(MachineError, match=f"{name} is damaged"):
        vl.report(store)
    assert page.is_file(), "what is sound is reported first"


def test_a_damaged_analysis_of_its_own_is_not_left_out_of_a_report(extended: Path) -> None:
    folder = shutil.copytree(extended, extended.parent / "own")
    store = folder / "lab.zarr"
    page = folder / "lab.html"
    page.write_text("before", encoding="utf-8")
    (store / "decoding" / "main" / "interval" / "zarr.json").write_bytes(b"x")
    with pytest.raises(MachineError, match=r"To make it anew: virtuallab decode \S+lab\.zarr$"):
        vl.report(store)
    assert page.read_text(encoding="utf-8") == "before"
    with pytest.warns(VirtuallabWarning, match="decoding/main/interval"):
        tree = vl.decode(store, folder / "other.yaml", workers=1)
    assert set(tree["decoding"]) == {"added"}


@pytest.mark.parametrize("how", ["lost", pytest.param("changed", marks=pytest.mark.slow)])
def test_run_makes_a_manifest_anew(folder: Path, made: Path, how: str) -> None:
    store, manifest = folder / "lab.zarr", folder / "lab.records" / "manifest.json"
    manifest.unlink() if how == "lost" else manifest.write_text("{", encoding="utf-8")
    (store / "features" / "some" / "stat" / "c.3.0.0.0").write_bytes(b"")
    with pytest.raises(MachineError, match=r"manifest\.json is .*: virtuallab run"):
        vl.report(store)
    vl.run(folder / "small.yaml", store=store, workers=1)
    assert status(store, verify=True)[1] == []
    assert contents(store) == contents(made / "lab.zarr")


@pytest.mark.slow
def test_what_a_new_manifest_does_not_know_is_left_out(extended: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(extended, tmp_path / "copy")
    store, other = folder / "lab.zarr", folder / "other.yaml"
    (folder / "lab.records" / "manifest.json").unlink()
    (folder / "small.yaml").write_text(
        PROTOCOL.replace("main: {", "main: {probes: [some], "), encoding="utf-8"
    )
    with pytest.warns(VirtuallabWarning, match=r"left out: .*/(more|added).* is not in"):
        tree = vl.run(folder / "small.yaml", store=store, workers=1)
    assert set(tree["decoding"]) == {"main"}
    with pytest.warns(VirtuallabWarning, match="decoding/added is not in"):
        vl.probe(store, other, workers=1)
    vl.decode(store, other, workers=1)
    assert status(store, verify=True)[1] == []
    before, after = contents(extended / "lab.zarr"), contents(store)
    assert before.keys() == after.keys()
    assert {name for name in after if before[name] != after[name]} <= {"zarr.json"}
