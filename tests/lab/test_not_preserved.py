"""Commands on an experiment whose subjects are recorded during training and not preserved."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import virtuallab as vl
from tests.lab.conftest import RECORDED
from tests.lab.stages.tiny import TEXT
from virtuallab.errors import ProtocolError, UserError
from virtuallab.lab.stages.coverage import coverage
from virtuallab.protocol import read_text
from virtuallab.store import Store

LIVE = (*RECORDED[:-1], "subjects.preserve=false")  # no analysis
DESIGNS = "compare={folds: 2, inner_folds: 2, designs: {few: {units: 1}, more: {units: 2}}}"


@pytest.fixture(scope="module")
def protocol(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("protocol") / "tiny.yaml"
    file.write_text(TEXT, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def once(protocol: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the finished experiment, ``lab.zarr``, that no test may change."""
    folder = tmp_path_factory.mktemp("live")
    vl.run(protocol, LIVE, store=folder / "lab.zarr", workers=1)
    return folder


@pytest.fixture
def experiment(once: Path, tmp_path: Path) -> Path:
    return shutil.copytree(once, tmp_path / "copy") / "lab.zarr"


def test_a_run_records_and_reports_without_states(once: Path, recorded_once: Path) -> None:
    tree = vl.open(once / "lab.zarr")
    assert "snapshots" not in tree
    assert {"subjects", "truth", "recordings", "features", "references"} <= set(tree)
    before = vl.open(recorded_once / "lab.zarr")
    for node in ("recordings/some/mlp", "features/some"):
        now = tree[node].to_dataset()
        for name, values in before[node].to_dataset().data_vars.items():
            np.testing.assert_array_equal(now[name], values)
    assert (once / "lab.html").is_file()


@pytest.mark.slow
def test_a_run_again_does_nothing_and_one_with_another_probe_trains_again(
    experiment: Path, protocol: Path
) -> None:
    vl.run(protocol, LIVE, store=experiment, workers=1)
    more = "probes.more={units: 3, observables: [activity]}"
    tree = vl.run(protocol, (*LIVE, more), store=experiment, workers=1)
    assert set(tree["recordings"]) == {"some", "more"}
    assert tree["recordings/more/mlp"].sizes["subject"] == 8


def test_a_damaged_recording_is_made_again_by_a_run(experiment: Path, protocol: Path) -> None:
    [chunk] = experiment.glob("recordings/some/mlp/activity/c.3.*")
    sound = chunk.read_bytes()
    chunk.write_bytes(sound[:-1])
    vl.run(protocol, LIVE, store=experiment, workers=1)
    assert chunk.read_bytes() == sound


def test_no_probe_can_be_implanted_afterwards_but_one_can_be_removed(experiment: Path) -> None:
    said = r"preserve: false.*no probe can be implanted after .*Add the probe to the protocol"
    with pytest.raises(UserError, match=said):
        vl.probe(experiment, workers=1)
    tree = vl.probe(experiment, remove=["some"])
    assert "recordings" not in tree


def test_designs_cannot_be_compared_in_its_subjects(once: Path, protocol: Path) -> None:
    with pytest.raises(UserError, match="no design can be evaluated in them"):
        vl.compare(protocol, (*LIVE[:-1], DESIGNS), subjects=once / "lab.zarr", workers=1)
    with pytest.raises(ProtocolError, match=r"subjects\.preserve: found false, and designs are"):
        vl.compare(protocol, (*LIVE, DESIGNS), store=once / "other.zarr", workers=1)
    assert not (once / "other.zarr").exists()


def test_no_decoder_for_other_recordings_can_be_trained_on_it(once: Path) -> None:
    recording = vl.open(once / "lab.zarr")["recordings/some/mlp"]
    assert recording.sizes["subject"] == 8
    said = r"no decoder .* can be trained: .*states. Run its protocol into another store with"
    with pytest.raises(UserError, match=said):
        vl.identify(
            once / "lab.zarr",
            once / "lab.zarr" / "recordings" / "some" / "mlp",
            subject=str(recording["subject"].values[0]),
            probe="some",
        )


def test_what_is_left_is_named_with_the_command_that_does_it(experiment: Path) -> None:
    (experiment.with_name("lab.records") / "probe-some" / "000002.json").unlink()
    store = Store.open(experiment)
    found = coverage(store, "some")
    assert str(found) == "probe 'some' has recorded 7 of 8 subjects"
    assert found.how_to_finish(store).startswith(
        f"finish it with `virtuallab run PROTOCOL --store {experiment}`"
    )


def test_without_probes_nothing_would_be_kept_and_it_is_refused() -> None:
    with pytest.raises(ProtocolError, match=r"subjects\.preserve: found false, and no probe"):
        read_text(TEXT, name="tiny.yaml", overrides=("subjects.preserve=false",))


def test_the_default_is_not_written() -> None:
    assert "preserve" not in read_text(TEXT, name="tiny.yaml").subjects.written()
    kept = read_text(TEXT, name="tiny.yaml", overrides=LIVE)
    assert kept.subjects.written()["preserve"] is False
    assert kept.resolved()["subjects"]["preserve"] is False
