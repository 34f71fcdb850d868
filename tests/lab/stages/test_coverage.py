"""Probes that have not recorded everybody: named, left out only when asked, finished, removed."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

import virtuallab as vl
from tests.journeys.conftest import PROTOCOL
from tests.store.files.test_lock import held_elsewhere
from tests.store.toy import contents
from virtuallab.errors import StoreError, UserError
from virtuallab.lab.decode import decode
from virtuallab.lab.designs.compare import compare
from virtuallab.lab.identification.identify import identify
from virtuallab.lab.probe import probe
from virtuallab.lab.run import run
from virtuallab.lab.services.workers import LocalPool
from virtuallab.lab.stages import nodes as stages
from virtuallab.lab.stages.coverage import coverage
from virtuallab.reporting import experiment_page
from virtuallab.store import Store

TINY = (
    PROTOCOL.replace("{name: knet4, channels: [3, 4, 4]}, {name: mlp, hidden: [12]}", "mlp")
    .replace("epochs: 3", "epochs: 1")
    .replace("  sparse: {units: 20, noise: {snr: 2.0}, visits: 3}\n", "")
    .replace("  whole: {keep: statistics}", "  some: {units: 10}")
    .replace("replicates: 4", "replicates: 5")
    .replace("{observables: [activity], folds: 2", "{scheme: published, splits: 1, folds: 2")
    .replace("permutations: 1}", "classifiers: [linear_svm], observables: [activity]}")
)
OTHER = TINY.replace("  some: {units: 10}", "  pz: {units: 7}")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("done")
    (folder / "tiny.yaml").write_text(TINY)
    (folder / "other.yaml").write_text(OTHER)
    run(folder / "tiny.yaml", store=folder / "lab.zarr", workers=1)
    return folder


@pytest.fixture
def folder(done: Path, tmp_path: Path) -> Path:
    return shutil.copytree(done, tmp_path / "copy")


def said(call: Callable[[Console], object]) -> str:
    console = Console(file=io.StringIO(), width=1000)
    call(console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def unrecorded(folder: Path, *indices: int) -> Path:
    for index in indices:
        (folder / "lab.records" / "probe-some" / f"{index:06d}.json").unlink()
    return folder / "lab.zarr"


def killed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stop ``probe`` after it has declared its probe."""

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(LocalPool, "run", stop)
        with pytest.raises(BaseException, match="goes on from here"):
            probe(folder / "lab.zarr", folder / "other.yaml", workers=1)
    return folder / "lab.zarr"


def test_a_half_recorded_probe_is_decoded_only_when_asked(folder: Path) -> None:
    store = unrecorded(folder, 0, 9)
    words = "probe 'some' has recorded 8 of 10 subjects: finish it with `virtuallab probe .*zarr`"
    with pytest.raises(UserError, match=f"{words}, or decode what there is with --partial"):
        decode(store, workers=1)
    with pytest.raises(UserError, match=f"{words} first"):
        identify(store, store / "recordings" / "some" / "mlp", subject="sub-0001", probe="some")
    before = contents(folder / "lab.zarr")
    words = "some: rests on 8 of 10 subjects; the others are not recorded"
    assert words in said(lambda console: decode(store, partial=True, workers=1, verbose=console))
    tree = vl.open(store)
    assert tree["decoding/main"].attrs["partial"] == "probe 'some' has recorded 8 of 10 subjects"
    assert tree["decoding/main"].attrs["n_subjects"] == 8
    assert words in experiment_page(tree)
    probe(store, workers=1)
    decode(store, workers=1)
    assert "partial" not in vl.open(store)["decoding/main"].attrs
    assert contents(store).keys() == before.keys()
    assert contents(store) == contents(store.with_name("lab.zarr")) == before


def test_subjects_that_are_not_trained_yet_are_counted(folder: Path) -> None:
    store = unrecorded(folder, 7)
    (folder / "lab.records" / "subjects" / "000007.json").unlink()
    found = coverage(Store.open(store), "some")
    assert (found.recorded, found.wanted, found.untrained) == (9, 10, 1)
    with pytest.raises(UserError, match=r"1 of them are not trained yet.*virtuallab run PROTOCOL"):
        decode(store, workers=1)


@pytest.mark.slow
def test_a_killed_probe_stands_in_nobodys_way(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = contents(folder / "lab.zarr")
    store = killed(folder, monkeypatch)
    words = "probe 'pz' has recorded 0 of 10 subjects and is left out: finish it with `virtuallab"
    ran = said(lambda console: run(folder / "tiny.yaml", store=store, workers=1, verbose=console))
    assert words in ran
    assert f"{store} --remove pz" in ran
    assert set(vl.open(store)["decoding/main"]["probe"].values) == {"some"}
    with pytest.raises(UserError, match="probe 'pz' has recorded 0 of 10 subjects"):
        decode(store, folder / "other.yaml", workers=1)
    half = shutil.copytree(folder, folder.with_name("half"))
    probe(store, workers=1)  # from what the store knows of it
    probe(half / "lab.zarr", half / "other.yaml", workers=1)  # the same command again
    assert contents(store) == contents(half / "lab.zarr")
    assert coverage(Store.open(store), "pz").is_complete
    told = said(lambda console: probe(store, remove=["pz"], verbose=console))
    assert "Probe pz removed, with 10 recordings." in told
    assert "Analysis" not in told
    assert contents(store) == whole
    assert not (folder / "lab.records" / "probe-pz").exists()
    told = said(lambda console: probe(store, remove=["some"], verbose=console))
    assert "Analysis main still holds what was decoded from it" in told


def test_a_probe_is_not_finished_with_other_settings(folder: Path) -> None:
    store = unrecorded(folder, 3)
    changed = TINY.replace("units: 10", "units: 10, noise: {snr: 2.0}")
    assert "\nprobes:\n" in changed
    more = changed.replace("probes:\n", "probes:\n  another: {units: 5}\n")
    (folder / "other.yaml").write_text(more)
    words = r"'some' is there with other settings: .*snr.*--remove some"
    with pytest.raises(StoreError, match=words):
        probe(store, folder / "other.yaml", workers=1)
    # A protocol that is refused adds nothing, neither of its other probes.
    assert "another" not in stages.probes_in(Store.open(store))


def test_an_analysis_of_a_probe_that_is_not_there_says_so(folder: Path) -> None:
    text = OTHER.replace("{scheme", "{probes: [pz], scheme")
    (folder / "other.yaml").write_text(text)
    with pytest.raises(UserError, match="analysis 'main' reads probe 'pz', which has recorded no"):
        decode(folder / "lab.zarr", folder / "other.yaml", workers=1)


def test_an_experiments_own_probe_that_recorded_nothing_is_finished_by_its_commands(
    folder: Path,
) -> None:
    probe(folder / "lab.zarr", remove=["some"])
    with pytest.raises(
        UserError, match=r"'some' has recorded 0 of .* finish it with `virtuallab p"
    ):
        decode(folder / "lab.zarr", workers=1)


def test_while_one_writes_others_are_refused_and_readers_are_not(folder: Path) -> None:
    store = folder / "lab.zarr"
    before = contents(folder)
    with held_elsewhere(folder / "lab.records"):
        for command in (
            lambda: run(folder / "tiny.yaml", store=store),
            lambda: probe(store, folder / "other.yaml"),
            lambda: probe(store, remove=["some"]),
            lambda: decode(store),
        ):
            with pytest.raises(StoreError, match=r"lab\.zarr is in use: `virtuallab probe"):
                command()
        assert vl.open(store)["subjects"].sizes == {"subject": 10}
        assert Store.open(store).verify() == []
    lock = json.loads(contents(folder)["lab.records/.lock"])
    assert lock["command"].startswith("virtuallab probe")
    assert {k: v for k, v in contents(folder).items() if k != "lab.records/.lock"} == {
        k: v for k, v in before.items() if k != "lab.records/.lock"
    }


@pytest.mark.parametrize("theirs", ["new.html/x", "new.records/x", "new.zarr/x"])
def test_what_lies_in_an_outputs_place_is_refused_before_any_work(
    done: Path, tmp_path: Path, theirs: str
) -> None:
    file = tmp_path / theirs
    file.parent.mkdir()
    file.write_text("theirs")
    with pytest.raises(UserError, match="new"):
        run(done / "tiny.yaml", store=tmp_path / "new.zarr", workers=1)
    assert contents(tmp_path) == {theirs: b"theirs"}


def test_a_comparison_refuses_a_foreign_folder_before_it_trains(tmp_path: Path) -> None:
    text = TINY + "compare: {designs: {a: {units: 3}}, folds: 2, inner_folds: 2}\n"
    (tmp_path / "tiny.yaml").write_text(text)
    theirs = tmp_path / "small.compare.zarr" / "x"
    theirs.parent.mkdir()
    theirs.write_text("theirs")
    with pytest.raises(StoreError, match="is no comparison of virtuallab"):
        compare(tmp_path / "tiny.yaml", store=tmp_path / "new.zarr", workers=1)
    assert theirs.read_text() == "theirs"
    assert not (tmp_path / "new.zarr").exists()
