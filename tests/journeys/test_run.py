"""Whole commands, as a user types them."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import virtuallab as vl
from tests.cli.calls import invoke
from tests.journeys.conftest import PROTOCOL
from virtuallab.errors import MachineError, ProtocolError, StoreError, VirtuallabError

Command = Callable[..., subprocess.CompletedProcess[str]]


def refusal(*words: str) -> str:
    """Run a command that is refused in this process, and return its message."""
    done = invoke(*words)
    if isinstance(done.exception, VirtuallabError):
        assert done.exception.exit_code == 2
        return str(done.exception)
    assert done.exit_code == 2, done.output
    return done.stderr


def contents(store: Path) -> dict[str, bytes]:
    return {str(f.relative_to(store)): f.read_bytes() for f in store.rglob("*") if f.is_file()}


def differing(one: dict[str, bytes], other: dict[str, bytes]) -> set[str]:
    return {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}


@pytest.mark.slow
def test_one_command_from_protocol_to_verdict(protocol: Path, virtuallab: Command) -> None:
    done = virtuallab("run", str(protocol))
    assert done.returncode == 0, done.stderr
    for words in (
        "Plan",
        "subjects trained: 16 of 16",
        "recordings made: 32 of 32",
        "chance 0.5",
        "Report: runs/small.html",
        "peak memory",
    ):
        assert words in done.stdout, words
    page = (protocol.parent / "runs" / "small.html").read_text(encoding="utf-8")
    assert "Does everything hold together?" in page
    tree = xr.open_datatree(protocol.parent / "runs" / "small.zarr", engine="zarr")
    assert set(tree) == {
        *("subjects", "truth", "snapshots", "references"),
        *("recordings", "features", "signal_removed", "decoding"),
    }
    assert set(tree["recordings"]) == {"sparse"}, "the whole probe keeps statistics only"
    activity = tree["recordings/sparse/knet4"].to_dataset()["activity"]
    assert activity.sizes == {"subject": 16, "visit": 3, "stimulus": 20, "unit": 20}
    recorded = np.isfinite(activity.values).all((1, 2, 3))
    assert recorded.tolist() == (tree["subjects"]["architecture"] == "knet4").values.tolist()
    again = virtuallab("run", str(protocol))
    assert again.returncode == 0
    assert "subjects trained: 16 of 16" in again.stdout
    status = virtuallab("status", "runs/small.zarr", "--verify")
    assert status.returncode == 0
    assert "16 done" in status.stdout
    assert re.search(r"decode main +1 +1", status.stdout)
    info = virtuallab("info", "runs/small.zarr")
    assert "# A small experiment, for tests." in info.stdout


def committed(records: Path) -> int:
    """Commit records there are: 16 of subjects and 32 of recordings in the end."""
    stages = ("subjects", "probe-whole", "probe-sparse")
    return sum(len(list((records / stage).glob("*.json"))) for stage in stages)


@pytest.mark.slow
def test_an_interrupted_run_goes_on_to_the_same_bytes(protocol: Path) -> None:
    whole = protocol.parent / "whole.zarr"
    vl.run(protocol, store=whole, workers=2)
    for attempt, wanted in enumerate((3, 20)):
        broken = protocol.parent / f"broken{attempt}.zarr"
        arguments = ["run", str(protocol), "--store", str(broken), "-w", "1"]
        worker = subprocess.Popen(
            [sys.executable, "-m", "virtuallab", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        records = broken.with_suffix(".records")
        while worker.poll() is None and committed(records) < wanted:
            time.sleep(0.002)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        assert wanted <= committed(records) < 48, "killed too late to prove a thing"
        vl.run(protocol, store=broken, workers=2)
        assert differing(contents(broken), contents(whole)) == set()


def test_an_interruption_says_how_to_go_on(protocol: Path) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-m", "virtuallab", "run", str(protocol), "-s", "subjects.epochs=400"],
        cwd=protocol.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # What a shell starts in the background is deaf to interruptions, and so are its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert worker.stdout is not None
    for line in worker.stdout:
        if line.startswith("subjects trained"):
            break
    time.sleep(0.3)
    worker.send_signal(signal.SIGINT)
    _, errors = worker.communicate(timeout=60)
    assert worker.returncode == 130
    assert errors.strip().endswith("the same command goes on from here.")
    assert "Traceback" not in errors


@pytest.mark.slow
def test_new_probes_change_no_subject_and_no_other_recording(
    protocol: Path, virtuallab: Command
) -> None:
    vl.run(protocol, store=protocol.parent / "lab.zarr")
    before = contents(protocol.parent / "lab.zarr")
    other = protocol.parent / "other.yaml"
    other.write_text(
        PROTOCOL.replace("  sparse:", "  tiny: {units_per_layer: 3, stimuli: 5}\n  sparse:"),
        encoding="utf-8",
    )
    done = virtuallab("probe", "lab.zarr", "--protocol", str(other))
    assert done.returncode == 0, done.stderr
    after = contents(protocol.parent / "lab.zarr")
    changed = differing(before, after) & before.keys()
    assert changed <= {"zarr.json"}, "only the gathered metadata may grow"
    tree = vl.open(protocol.parent / "lab.zarr")
    tiny = tree["recordings/tiny/mlp"].to_dataset()
    assert tiny["unit_layer"].values.tolist() == ["fc1"] * 3 + ["fc2"] * 3
    assert tiny.sizes["stimulus"] == 5


@pytest.mark.slow
def test_decoding_and_reporting_again_trains_nothing(protocol: Path, virtuallab: Command) -> None:
    vl.run(protocol, store=protocol.parent / "lab.zarr")
    before = contents(protocol.parent / "lab.zarr")
    other = protocol.parent / "other.yaml"
    other.write_text(
        PROTOCOL.replace(
            "  main: {observables: [activity], folds: 2, inner_folds: 2, repeats: 1, "
            "permutations: 1}",
            "  published: {scheme: published, splits: 2, observables: [activity], "
            "classifiers: [linear_svm, conv1d_mlp]}",
        ),
        encoding="utf-8",
    )
    done = virtuallab("decode", "lab.zarr", "--protocol", "other.yaml")
    assert done.returncode == 0, done.stderr
    assert "published" in done.stdout
    changed = differing(before, contents(protocol.parent / "lab.zarr"))
    assert all(name == "zarr.json" or name.startswith("decoding/published") for name in changed)
    verdict = vl.open(protocol.parent / "lab.zarr")["decoding/published"].to_dataset()
    assert verdict["optimism"].sizes == {"probe": 2, "observable": 1, "classifier": 2}
    again = virtuallab("report", "lab.zarr", "--output", "page.html")
    assert again.returncode == 0, again.stderr
    page = (protocol.parent / "page.html").read_text(encoding="utf-8")
    assert "published" in page
    assert page.count("</html>") == 1


@pytest.mark.slow
def test_a_recording_is_what_the_network_did(protocol: Path) -> None:
    from virtuallab.protocol import expand, read
    from virtuallab.subject.preparation import prepare

    quiet = protocol.with_name("quiet.yaml")
    quiet.write_text(PROTOCOL.replace("noise: {snr: 2.0}, ", ""), encoding="utf-8")
    tree = vl.run(quiet, store=protocol.parent / "lab.zarr")
    subjects = expand(read(quiet))
    recording = tree["recordings/sparse/mlp"].to_dataset()
    index = next(i for i, s in enumerate(subjects) if s.architecture.name == "mlp")
    states = tree["snapshots/mlp"]["state"].values[index]
    preparation = prepare(subjects[index].architecture, subjects[index].task, states)
    one = recording.isel(subject=index).load()
    for unit in range(one.sizes["unit"]):
        layer, number = str(one["unit_layer"].values[unit]), int(one["unit_index"].values[unit])
        expected = preparation.responses[layer][one["visit"].values][
            :, one["stimulus_index"].values
        ]
        np.testing.assert_array_equal(one["activity"].values[:, :, unit], expected[:, :, number])


@pytest.mark.slow
def test_selecting_and_grouping_by_what_experimenters_ask_for(protocol: Path) -> None:
    tree = vl.run(protocol, store=protocol.parent / "lab.zarr")
    recording = tree["recordings/sparse/knet4"].to_dataset()
    assert set(recording.groupby("rule").mean()["rule"].values) == {"sgdm", "feedback_alignment"}
    assert recording["activity"].groupby("unit_layer").mean().sizes["unit_layer"] == 4
    truth = tree["truth"].to_dataset()
    accuracy = truth["validation_performance"].where(truth["architecture"] == "mlp", drop=True)
    assert accuracy.sizes["subject"] == 8
    angles = truth["weight_angle"].groupby("rule").mean("subject")
    assert np.isnan(angles.sel(rule="sgdm")).all(), "backprop has no backward weights"
    assert (angles.sel(rule="feedback_alignment", layer="fc2") < 90).any()
    features = tree["features/whole"].to_dataset()
    assert features["stat"].attrs["long_name"] == "aggregate statistic"
    assert features.sel(subject="sub-0001")["layer_depth"].max() == 1


@pytest.mark.slow
def test_a_store_of_another_protocol_is_refused_with_the_difference(
    protocol: Path, virtuallab: Command
) -> None:
    store = protocol.parent / "lab.zarr"
    vl.run(protocol, store=store)
    before = contents(store)
    other = virtuallab("run", str(protocol), "--store", "lab.zarr", "-s", "subjects.batch_size=8")
    assert other.returncode == 2
    assert "lab.zarr was made from another protocol: subjects.batch_size was 16, now 8" in (
        other.stderr
    )
    with pytest.raises(StoreError, match=r"probes\.sparse\.units was 20, now 10"):
        vl.run(protocol, ["probes.sparse.units=10"], store=store)
    assert contents(store) == before


@pytest.mark.slow
def test_a_full_disk_is_one_message_and_the_run_goes_on_later(
    protocol: Path, virtuallab: Command
) -> None:
    script = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "sys.argv = ['virtuallab', 'run', sys.argv[1]]\n"
        "from virtuallab.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(protocol)],
        cwd=protocol.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "the disk is full" in done.stderr
    assert "Traceback" not in done.stderr
    assert virtuallab("run", str(protocol)).returncode == 0


@pytest.mark.parametrize(
    ("change", "place", "message"),
    [
        (("units: 20", "units: 2000"), "small.yaml:20: probes.sparse.units", "2000 units"),
        (("visits: 3}", "visits: [0, 9]}"), "small.yaml:20: probes.sparse.visits", "9"),
        (("folds: 2", "folds: 9"), "small.yaml:22: analyses.main.folds", "8 subjects per rule"),
        (("snr: 2.0", "snr: -1"), "small.yaml:20: probes.sparse.noise.snr", "greater than 0"),
        (
            ("feedback_alignment", "feedback_alignmnt"),
            "small.yaml:11: subjects.rules[1]",
            "Did you",
        ),
        (
            ("feedback_alignment", "difference_target_propagation"),
            "small.yaml:11: subjects.rules[1]",
            "dense layers; 'conv1' of knet4",
        ),
        (
            ("feedback_alignment", "direct_random_target_projection\n  loss: squared_error"),
            "small.yaml:11: subjects.rules[1]",
            "squared_error",
        ),
        (("[0.01, 0.1]", "[-0.01, 0.1]"), "small.yaml:12: subjects.optimizer", "greater than 0"),
        (("epochs: 3", "epochs: [3"), "small.yaml:", ""),
        (("replicates: 4", "replicats: 4"), "small.yaml:13: subjects.replicats", "'replicates'"),
    ],
)
def test_a_users_mistake_is_one_clear_message(
    protocol: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: tuple[str, str],
    place: str,
    message: str,
) -> None:
    protocol.write_text(PROTOCOL.replace(*change), encoding="utf-8")
    monkeypatch.chdir(protocol.parent)
    found = refusal("run", "small.yaml")
    assert place in found
    assert message in found
    assert not (protocol.parent / "runs").exists()


def test_a_mistake_ends_the_process_without_a_traceback(
    protocol: Path, virtuallab: Command
) -> None:
    protocol.write_text(PROTOCOL.replace("units: 20", "units: 2000"), encoding="utf-8")
    done = virtuallab("run", "small.yaml")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "small.yaml:20: probes.sparse.units" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_too_many_images_for_a_task_have_no_traceback(protocol: Path, virtuallab: Command) -> None:
    done = virtuallab(
        "run", "small.yaml", "-s", "subjects.tasks=[{name: digits, train_images: 5000}]"
    )
    assert done.returncode == 2
    assert "1797 images" in done.stderr
    assert "Traceback" not in done.stderr


def test_plan_says_what_it_takes_and_makes_nothing(protocol: Path, virtuallab: Command) -> None:
    done = virtuallab("plan", "small.yaml")
    assert done.returncode == 0, done.stderr
    assert "8 of 2 subjects" in done.stdout
    for words in ("16", "training", "snapshots", "recordings/sparse"):
        assert words in done.stdout
    assert sorted(path.name for path in protocol.parent.iterdir()) == ["small.yaml"]


def test_init_writes_a_protocol_that_runs_as_it_stands(virtuallab: Command, tmp_path: Path) -> None:
    assert virtuallab("init", "mine.yaml").returncode == 0
    assert virtuallab("validate", "mine.yaml").stdout == "mine.yaml: valid\n"
    line = (tmp_path / "mine.yaml").read_text(encoding="utf-8").splitlines()[0]
    named = tmp_path / line.removeprefix("# yaml-language-server: $schema=")
    assert json.loads(named.read_text(encoding="utf-8"))["title"] == "virtuallab protocol"
    named.write_text("mine", encoding="utf-8")
    assert virtuallab("init", "other.yaml").returncode == 0
    assert named.read_text(encoding="utf-8") == "mine", "a schema that is there is left alone"
    second = virtuallab("init", "mine.yaml")
    assert second.returncode == 2
    assert "was left alone" in second.stderr
    assert virtuallab("init", "no/where.yaml").returncode == 2


def test_help_answers_at_once_without_torch(virtuallab: Command) -> None:
    script = (
        "import sys; from virtuallab.cli import main; sys.argv = ['virtuallab', '--help']\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'xarray', 'sklearn', 'seaborn'} & set(sys.modules)\n"
        "print(sorted(name for name in heavy if '__path__' in vars(sys.modules[name])))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip().endswith("[]"), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("run", "none.yaml"), "none.yaml: there is no such file"),
        (("status", "runs/none.zarr"), "there is no experiment"),
        (("report", "small.yaml"), "small.yaml is a file"),
        (("list", "ruls"), "Did you mean 'rules'?"),
        (("run", "small.yaml", "--device", "tpu"), "device"),
    ],
)
def test_what_is_not_there_is_said(
    protocol: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(protocol.parent)
    assert message in refusal(*words)


def test_list_shows_every_rule_and_whether_it_is_local(virtuallab: Command) -> None:
    lines = virtuallab("list", "rules").stdout.splitlines()
    for rule, local in (("backprop", "no"), ("feedback_alignment", "yes")):
        [row] = [line for line in lines if f" {rule} " in line]
        assert f" {local} " in row


def test_in_python_the_same_faults_are_an_exception(protocol: Path) -> None:
    protocol.write_text(PROTOCOL.replace("units: 20", "units: 2000"), encoding="utf-8")
    with pytest.raises(ProtocolError) as caught:
        vl.run(protocol, store=protocol.parent / "lab.zarr")
    assert [fault.path for fault in caught.value.faults] == ["probes.sparse.units"]


@pytest.mark.slow
def test_a_diverged_subject_is_kept_and_left_out_of_recordings(protocol: Path) -> None:
    protocol.write_text(
        PROTOCOL.replace("{name: backprop, label: sgdm}",
                         "{name: backprop, label: sgdm, optimizer: "
                         "{name: sgd, learning_rate: {choice: [0.05, 1.0e+30]}}}")
        .replace("folds: 2", "folds: 2")
        .replace("replicates: 4", "replicates: 10"),
        encoding="utf-8",
    )  # fmt: skip
    tree = vl.run(protocol, store=protocol.parent / "lab.zarr")
    table = tree["subjects"].to_dataset()
    wild = (table["learning_rate"] > 1).values
    assert 0 < wild.sum() < 20
    assert (table["status"].values[wild] == 3).all()
    assert (table["status"].values[~wild] == 1).all()
    assert (table["diverged_at"].values[wild] > 0).all()
    stat = tree["features/whole"]["stat"]
    assert np.isnan(stat.values[wild]).all()
    assert np.isfinite(stat.values[~wild]).any((1, 2, 3)).all()
    assert tree["decoding/main"].attrs["n_subjects"] == (~wild).sum()


@pytest.mark.slow
def test_a_machine_error_has_its_own_exit_code(protocol: Path, virtuallab: Command) -> None:
    vl.run(protocol, store=protocol.parent / "lab.zarr")
    record = protocol.parent / "lab.records" / "subjects" / "000002.json"
    record.write_text("not json", encoding="utf-8")
    done = virtuallab("status", "lab.zarr")
    assert done.returncode == MachineError.exit_code == 1
    assert "000002.json (sub-0003) is damaged" in done.stderr
