"""Stores that a cluster computes are, byte for byte, those that one process computes."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import xarray as xr

import virtuallab as vl
from tests.lab.services.cluster.processes import ROOT, Cluster
from virtuallab.errors import MachineError, UserError
from virtuallab.lab.services.cluster.pool import ClusterPool
from virtuallab.lab.services.workers import Piece

PROTOCOL = """\
schema_version: 1
name: tiny
seed: 3
subjects:
  architectures: [{name: mlp, hidden: [4]}]
  tasks: [{name: digits, train_images: 16, validation_images: 10, probe_images: 10}]
  rules: [backprop, {name: feedback_alignment, label: fa}]
  optimizer: {name: sgd, learning_rate: 0.05}
  replicates: 4
  batch_size: 8
  steps: 6
  visits: 3
  cohort: 2
probes:
  noisy: {observables: [activity], units: 4, noise: {snr: 1.0}}
  few: {observables: [weights], synapses: 3, keep: statistics}
analyses: {}
"""
LIVE = "subjects.preserve=false"
DECODED = "analyses.a={observables: [activity], folds: 2, inner_folds: 2, repeats: 1}"

# Ends its process in the middle of a cohort, once, if it is a worker of a cluster.
DYING = """\
import os, signal
from dataclasses import dataclass
from pathlib import Path
from virtuallab.registry import SCHEDULES
from virtuallab.subject.schedule import LearningRateSchedule

MARK = Path({mark!r})

@SCHEDULES.register("dying")
@dataclass(frozen=True, kw_only=True)
class Dying(LearningRateSchedule):
    '''Constant, in a process that does not live long.'''

    def factor(self, progress: float) -> float:
        if progress > 0.5 and not MARK.exists():
            from distributed import get_worker
            try:
                get_worker()
            except ValueError:
                return 1.0
            MARK.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return 1.0
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("cluster")
    (found / "tiny.yaml").write_text(PROTOCOL, encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def protocol(folder: Path) -> Path:
    return folder / "tiny.yaml"


@pytest.fixture(scope="module")
def cluster(folder: Path) -> Iterator[Cluster]:
    with Cluster(folder) as found:
        yield found


def contents(root: Path) -> dict[str, str]:
    """Digest of every file, with records without the time at which they were written."""
    found = {}
    for path in sorted(root.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            if path.suffix == ".json" and path.parent.parent.suffix == ".records":
                record = json.loads(data)
                assert record.pop("committed_at") > 0
                record.pop("digest")  # of the record, with the time
                data = json.dumps(record, sort_keys=True).encode()
            found[path.relative_to(root).as_posix()] = hashlib.sha256(data).hexdigest()
    return found


def checked(expected: Path, found: Path) -> None:
    one, other = contents(expected), contents(found)
    assert len(one) > 20
    assert one == other


def once(folder: Path, name: str, make: Callable[[Path], object]) -> Path:
    """Folder of a store that one process has made, for all tests of the module."""
    place = folder / name
    if not place.exists():
        make(place / "tiny.zarr")
    return place


@pytest.fixture
def alone(folder: Path, protocol: Path) -> Path:
    return once(folder, "alone", lambda store: vl.run(protocol, store=store, workers=1))


def test_a_run_on_a_cluster_leaves_the_same_bytes(
    alone: Path, protocol: Path, cluster: Cluster, tmp_path: Path
) -> None:
    vl.run(protocol, store=tmp_path / "tiny.zarr", scheduler=cluster.address)
    checked(alone, tmp_path)


def test_the_scheduler_imports_nothing_heavy(cluster: Cluster) -> None:
    from distributed import Client

    def imported() -> list[str]:
        import sys

        return [name for name in ("torch", "virtuallab", "numpy") if name in sys.modules]

    def failing(*_: object) -> None:
        raise AssertionError("the work of a test")

    with Client(cluster.address, set_as_default=False) as client:
        pool = ClusterPool(client, cluster.address)
        with pytest.raises(AssertionError, match="the work of a test"):
            pool.run([Piece(failing, print)])
        assert "torch" not in client.run_on_scheduler(imported)
        assert "virtuallab" not in client.run_on_scheduler(imported)


def test_subjects_that_are_not_preserved_are_recorded_by_the_workers(
    folder: Path, protocol: Path, cluster: Cluster, tmp_path: Path
) -> None:
    expected = once(folder, "live", lambda store: vl.run(protocol, LIVE, store=store, workers=1))
    vl.run(protocol, LIVE, store=tmp_path / "tiny.zarr", scheduler=cluster.file)
    checked(expected, tmp_path)


@pytest.mark.slow
def test_a_lost_scheduler_is_said_and_the_same_command_goes_on(
    alone: Path, protocol: Path, tmp_path: Path
) -> None:
    store = tmp_path / "found" / "tiny.zarr"
    (tmp_path / "processes").mkdir()
    with Cluster(tmp_path / "processes") as own:

        def kill(stage: str, done: int, total: int) -> None:
            if stage == "subjects trained" and done:
                own.scheduler.send_signal(signal.SIGKILL)

        words = rf"scheduler at {own.address} was lost.*the same command goes on from here"
        with pytest.raises(MachineError, match=words):
            vl.run(protocol, store=store, scheduler=own.address, progress=kill)
        own.start()
        counts: list[int] = []
        vl.run(
            protocol,
            store=store,
            scheduler=own.file,
            progress=lambda stage, done, _: counts.append(done) if "trained" in stage else None,
        )
    assert 0 < counts[0] < 8, "what was done before was kept"
    checked(alone, tmp_path / "found")


def command(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "virtuallab", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )


@pytest.mark.slow
def test_a_worker_that_dies_in_the_middle_of_a_cohort_costs_nothing_but_time(
    protocol: Path, cluster: Cluster, tmp_path: Path
) -> None:
    """The file of the plug-in is sent to the workers."""
    mark = tmp_path / "mark"
    (tmp_path / "dying.py").write_text(DYING.format(mark=str(mark)), encoding="utf-8")
    options = ["--plugin", "dying.py", "-s", "subjects.schedule=[dying]"]
    expected, found = tmp_path / "expected" / "tiny.zarr", tmp_path / "found" / "tiny.zarr"
    done = command("run", protocol, *options, "--store", expected, "-w", 1, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not mark.exists()
    on = ["--store", found, "--scheduler", cluster.file]
    done = command("run", protocol, *options, *on, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert mark.exists()
    [dead] = [worker for worker in cluster.workers if worker.poll() is not None]
    assert dead.returncode == -signal.SIGKILL
    checked(expected.parent, found.parent)
    cluster.workers[cluster.workers.index(dead)] = cluster.start_worker("again")


@pytest.mark.skipif(torch.cuda.is_available(), reason="the workers have a card")
@pytest.mark.parametrize("command", [vl.run, vl.search])
def test_workers_without_a_card_are_refused_before_anything_is_written(
    command: Callable[..., Any], protocol: Path, cluster: Cluster, tmp_path: Path
) -> None:
    cluster.wait_for(2)
    is_search = command is vl.search
    overrides = ["search={}", "subjects.optimizer.learning_rate={uniform: [0.01, 0.1]}"]
    kept = {"storage" if is_search else "store": tmp_path / "tiny.zarr"}
    with pytest.raises(UserError, match=f"finds none on .* cluster at {cluster.address}"):
        command(
            protocol,
            overrides if is_search else (),
            scheduler=cluster.address,
            device="cuda",
            **kept,
        )
    assert not list(tmp_path.iterdir())


def test_a_worker_with_other_versions_is_refused(
    protocol: Path, cluster: Cluster, tmp_path: Path
) -> None:
    old = tmp_path / "old" / "virtuallab-0.0.1.dist-info"
    old.mkdir(parents=True)
    (old / "METADATA").write_text("Metadata-Version: 2.1\nName: virtuallab\nVersion: 0.0.1\n")
    path = os.pathsep.join([str(old.parent), str(ROOT)])
    worker = cluster.start_worker("old", {"PYTHONPATH": path})
    try:
        store = tmp_path / "tiny.zarr"
        cluster.wait_for(3)
        with pytest.raises(UserError, match=r"virtuallab 0\.0\.1 \(here \d.*Install the same"):
            vl.run(protocol, store=store, scheduler=cluster.address)
        assert not store.exists()
    finally:
        worker.kill()
        worker.wait()


@pytest.mark.slow
def test_a_cluster_of_this_machine_leaves_the_same_bytes(
    folder: Path, protocol: Path, tmp_path: Path
) -> None:
    expected = once(folder, "full", lambda store: vl.run(protocol, DECODED, store=store, workers=1))
    store = tmp_path / "tiny.zarr"
    words = ["-s", DECODED, "--store", store, "--scheduler", "local", "-w", 2]
    done = command("run", protocol, *words, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    checked(expected, tmp_path)


@pytest.mark.slow
def test_probes_are_recorded_and_decoded_later_with_the_same_bytes(
    folder: Path, protocol: Path, cluster: Cluster, tmp_path: Path
) -> None:
    def make(store: Path, scheduler: str | None = None) -> None:
        how = {"workers": 1} if scheduler is None else {"scheduler": scheduler}
        vl.run(protocol, store=store, workers=1)
        more = "probes.more={units: 3, observables: [activity], noise: {snr: 2.0}}"
        vl.probe(store, protocol, more, **how)  # type: ignore[arg-type]
        vl.decode(store, protocol, DECODED, **how)  # type: ignore[arg-type]

    expected = once(folder, "later", make)
    make(tmp_path / "tiny.zarr", cluster.address)
    checked(expected, tmp_path)


@pytest.mark.slow
def test_a_worker_that_dies_while_it_decodes_costs_nothing_but_time(
    folder: Path, protocol: Path, tmp_path: Path
) -> None:
    expected = once(folder, "full", lambda store: vl.run(protocol, DECODED, store=store, workers=1))
    (tmp_path / "processes").mkdir()
    with Cluster(tmp_path / "processes") as own:

        def kill(stage: str, done: int, total: int) -> None:
            if "decoding" in stage and own.workers[0].poll() is None:
                own.workers[0].send_signal(signal.SIGKILL)

        store = tmp_path / "found" / "tiny.zarr"
        vl.run(protocol, DECODED, store=store, scheduler=own.address, progress=kill)
        assert own.workers[0].poll() == -signal.SIGKILL
    checked(expected, tmp_path / "found")


@pytest.mark.slow
def test_a_scheduler_that_is_lost_while_decoding_is_said(
    alone: Path, protocol: Path, tmp_path: Path
) -> None:
    (tmp_path / "processes").mkdir()
    store = tmp_path / "tiny.zarr"
    vl.run(protocol, store=store, workers=1)
    with Cluster(tmp_path / "processes") as own:

        def kill(stage: str, done: int, total: int) -> None:
            own.scheduler.send_signal(signal.SIGKILL)

        with pytest.raises(MachineError, match=f"scheduler at {own.address} was lost"):
            vl.decode(store, protocol, DECODED, scheduler=own.address, progress=kill)


DESIGNS = "compare={folds: 2, inner_folds: 2, designs: {few: {units: 1}, more: {units: 2}}}"
OPEN = (
    "power={folds: 2, inner_folds: 2, trials: 4, seeds: 1, target: 0.9, "
    "design: {units: {uniform: [1, 4]}}}"
)


@pytest.mark.slow
def test_designs_are_evaluated_with_the_same_results(
    folder: Path, protocol: Path, cluster: Cluster, tmp_path: Path
) -> None:
    def make(store: Path, **how: object) -> xr.Dataset:
        found: xr.Dataset = vl.compare(protocol, DESIGNS, store=store, **how)  # type: ignore[arg-type]
        vl.power(protocol, OPEN, store=store, **how)  # type: ignore[arg-type]
        return found

    here, there = tmp_path / "here", tmp_path / "there"
    expected = make(here / "tiny.zarr", workers=1)
    assert make(there / "tiny.zarr", scheduler=cluster.address).identical(expected)
    tables = ["tiny.compare.csv", "tiny.power.csv"]
    for name in [*tables, *(path.name for path in here.glob("tiny.designs/*"))]:
        [one] = here.rglob(name)
        [other] = there.rglob(name)
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.slow
def test_a_search_finds_the_same(protocol: Path, cluster: Cluster, tmp_path: Path) -> None:
    settings = [
        "subjects.optimizer.learning_rate={log_uniform: [0.001, 0.1]}",
        "search={trials: 6, generation: 3, seeds: 2}",
    ]
    here = vl.search(protocol, settings, storage=tmp_path / "here.journal", workers=1)
    there = vl.search(
        protocol, settings, storage=tmp_path / "there.journal", scheduler=cluster.address
    )
    assert here.identical(there)


@pytest.mark.slow
def test_a_recording_is_identified_with_the_same_answer(
    folder: Path, protocol: Path, cluster: Cluster, tmp_path: Path
) -> None:
    store = tmp_path / "tiny.zarr"
    more = ["subjects.replicates=16", "subjects.cohort=8"]
    vl.run(protocol, more, store=store, workers=1)
    recording = store / "recordings" / "noisy" / "mlp"
    here = vl.identify(store, recording, subject="sub-0001", probe="noisy", workers=1)
    for kept in tmp_path.glob("*.decoders/*/*"):
        kept.unlink()
    there = vl.identify(
        store, recording, subject="sub-0001", probe="noisy", scheduler=cluster.address
    )
    assert here.identical(there)
