"""Benchmarks measure what they say; how long anything takes is not tested."""

from __future__ import annotations

import mmap
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch

from benchmarks import chain, growth, population, recording, step_profile
from benchmarks.implementations import environments
from benchmarks.implementations import measurement as measurement_module
from benchmarks.implementations.environments import NotInstallable, python_of
from benchmarks.implementations.flops import of_a_step
from benchmarks.implementations.implementation import KINDS
from benchmarks.implementations.measurement import Cell, Limits, Measurement, Way, Workers
from benchmarks.measuring.memory import watched
from benchmarks.measuring.nets import BATCH, subjects, training_step
from benchmarks.measuring.tables import show, table
from benchmarks.measuring.turns import Quartiles
from virtuallab.lab.planning.validation import make_plan
from virtuallab.protocol import read_text

MLP = "mlp 128-64, 8x8"


class StandIn:
    """Worker that is no process."""

    def __init__(self, kind: str) -> None: ...

    def __enter__(self) -> StandIn:
        return self

    def __exit__(self, *problem: object) -> None: ...


@pytest.mark.parametrize("net", [MLP, "knet4 8-16-16, 8x8", "resnet18 width 4, 8x8"])
def test_implementations_train_the_same_networks(net: str) -> None:
    kinds = ("virtuallab", "loop of torch modules", "torch.func.vmap")
    losses = [KINDS[kind].make(net, "backprop", 2).first_losses(3) for kind in kinds]
    np.testing.assert_allclose(losses, [losses[0]] * 3, rtol=1e-4)
    assert losses[0][2] < losses[0][0]


def test_ways_take_turns_in_processes_of_their_own() -> None:
    ways = (population.COHORT, population.TWO_COHORTS)
    with Workers() as workers:
        cell = Measurement(MLP, Limits(3, 0.01), 64, workers).cell(ways, 1)
    assert cell.left_out.keys() == {population.TWO_COHORTS}
    rates, shares = cell.rates[population.COHORT], cell.shares[population.COHORT]
    assert rates.shape == shares.shape == (3,)
    assert (rates > 0).all()
    assert (shares < 1).all()


def test_implementations_that_differ_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"loop of torch modules": [2.0, 1.9, 1.8], "torch.func.vmap": [2.0, 1.9, 1.7]}
    measurement = Measurement(MLP, Limits(), 64, Workers())
    monkeypatch.setattr(measurement, "_load", lambda way, size: (1, answers[way.kind]))
    with pytest.raises(RuntimeError, match="do not train the same"):
        measurement.cell((population.LOOP, population.VMAP), 2)


def test_ways_of_one_turn_share_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurement_module, "WorkerProcess", StandIn)
    with Workers() as workers:
        for ways in population.GROUPS:
            taken = [process for way in ways for process in workers.of(way)]
            assert len({id(process) for process in taken}) == len(taken)
            assert len(taken) == sum(way.processes for way in ways)


def test_what_cannot_be_installed_is_left_out_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def create(place: Path, **_: object) -> None:
        (place / "lib" / "python3" / "site-packages").mkdir(parents=True)
        python = place / "bin" / "python"
        python.parent.mkdir()
        python.write_text(
            "#!/bin/sh\necho 'ERROR: no wheel of this package' >&2\nexit 1\n", "utf-8"
        )
        python.chmod(0o755)

    monkeypatch.setattr(environments.venv, "create", create)
    with pytest.raises(NotInstallable, match="no wheel of this package"):
        python_of("biotorch", tmp_path)
    assert python_of("") == Path(sys.executable)


def test_operations_are_those_of_the_layers() -> None:
    forward = 2 * BATCH * (64 * 128 + 128 * 64 + 64 * 10)
    first_layer = 2 * BATCH * 64 * 128  # its input needs no gradient
    assert of_a_step(MLP, "backprop") == 3 * forward - first_layer
    for net in (MLP, "resnet18 width 4, 8x8"):
        assert of_a_step(net, "information_alignment") > of_a_step(net, "feedback_alignment")


def test_tables_of_ways_show_ratios_and_reasons() -> None:
    cells = {(group, 8): Cell() for group in range(len(population.GROUPS))}
    for way, rate in ((population.COHORT, 300.0), (population.LOOP, 100.0)):
        cells[0, 8].rates[way] = np.full(3, rate)
        cells[0, 8].shares[way] = np.full(3, 0.25)
    cells[0, 8].left_out[population.JAX] = "no wheel"
    ratios = population.ratio_table(cells, [8])
    assert "| backprop beside a loop of torch modules | 3.0 [3.0, 3.0] |" in ratios
    assert "| backprop beside jax.vmap | - |" in ratios
    assert "| backprop | virtuallab | 300 (25.0%) |" in population.rate_table(cells, [8])
    assert population.left_out(cells)[-1] == "- jax.vmap, backprop, S = 8: no wheel"
    assert population.file_name(MLP) == "population_mlp_128_64_8x8"


def test_growth_is_that_of_valid_experiments() -> None:
    read = read_text(growth.protocol(64, growth.PROBES, growth.ANALYSES), name="growth.yaml")
    assert len(make_plan(read).subjects) == 64
    assert growth.exponent([64, 256, 1024], [1.0, 4.0**1.5, 16.0**1.5]) == pytest.approx(1.5)
    assert growth.kilobytes_a_subject([0, 1024], [100.0, 102.0]) == pytest.approx(2.0)


def test_a_process_is_measured(tmp_path: Path) -> None:
    block = "x = bytearray(200_000_000)"
    found = growth.spent([sys.executable, "-c", block], tmp_path)
    assert found.megabytes > 190
    assert found.seconds > 0
    with pytest.raises(RuntimeError, match="no such name"):
        growth.spent([sys.executable, "-c", "raise NameError('no such name')"], tmp_path)


def test_growth_goes_on_from_what_was_measured(tmp_path: Path) -> None:
    found = {64: {"training": growth.Spent(1.0, 2.0, 400.0)}}
    growth.keep(found, tmp_path / "kept" / "growth.json")
    assert growth.kept(tmp_path / "kept" / "growth.json") == found
    assert growth.kept(tmp_path / "missing.json") == {}


def test_the_peak_of_memory_is_seen() -> None:
    with watched(every=0.01) as before:
        pass
    # New pages of the system: the process may still hold memory that earlier tests freed.
    with mmap.mmap(-1, 200_000_000) as block, watched(every=0.01) as peak:
        block.write(b"1" * len(block))
    assert peak.megabytes > before.megabytes + 150


def test_probing_is_measured_in_trained_subjects(tmp_path: Path) -> None:
    subjects, probes = recording.trained(tmp_path, quick=True)
    found = recording.probing(subjects, probes["units_20"], many=2, turns=1)
    stimuli = subjects.plan.network_groups[0].n_stimuli
    assert found.megabytes == pytest.approx(20 * 3 * stimuli * 4 / 1e6)
    assert found.alone.median > 0
    lines = recording.probing_table({"units_20": found}, 10.0)
    assert lines[2].startswith("| units_20 |")


def test_decoding_is_measured_by_the_number_of_subjects() -> None:
    assert recording.decoding_seconds("linear_svm", 40, columns=40) > 0
    lines = recording.decoding_table({"linear_svm": {64: 1.0, 256: 4.0}}, [64, 256, 1024])
    assert lines[2] == "| linear_svm | 1.0 | 4.0 | - | 1.00 |"


def test_a_quick_run_writes_no_table(tmp_path: Path) -> None:
    lines = table(["a", "b"], [["1", Quartiles.of([1.0, 2.0, 3.0]).text()]])
    show("speed", lines, quick=True, folder=tmp_path)
    assert not list(tmp_path.iterdir())
    show("speed", lines, quick=False, folder=tmp_path)
    text = (tmp_path / "speed.md").read_text("utf-8")
    assert text == "| a | b |\n| --- | --- |\n| 1 | 2.0 [1.5, 2.5] |\n"


def test_two_processes_share_the_subjects() -> None:
    assert Way("virtuallab", "backprop", 2).label == "virtuallab, 2 processes"


def test_a_chain_is_compared_with_automatic_differentiation() -> None:
    everyone = subjects(MLP, "backprop", 1)
    with mock.patch.object(torch.autograd, "grad", wraps=torch.autograd.grad) as graph:
        training_step(everyone)()
        assert not graph.called
        chain.differentiated_step(everyone)()
        assert graph.called
    found = chain.ratio(MLP, "backprop", 1, 0.001, 2)
    assert 0 < found.low <= found.median <= found.high


def test_a_profile_divides_the_time_of_a_step() -> None:
    step = training_step(subjects(MLP, "feedback_alignment", 2))
    found = step_profile.profiled(step, 2, 0.01, 2)
    assert min(found.products, found.others, found.microseconds) > 0
    assert found.products + found.others + found.rest == pytest.approx(1)
    # Three layers have two products each, and the two above the first return an error.
    with mock.patch.object(step_profile, "NO_ARITHMETIC", frozenset()):
        everything = step_profile.profiled(step, 2, 0.01, 2)
    assert everything.calls > found.calls > 8


def test_convolutions_of_a_cohort_are_timed_one_by_one() -> None:
    *rows, whole = step_profile.convolution_rows("knet4 8-16-16, 8x8", 2, 0.01)
    assert [row[1] for row in rows] == ["1 to 8, 8 x 8", "8 to 16, 4 x 4", "16 to 16, 2 x 2"]
    assert [row[3] == "-" for row in rows] == [True, False, False]
    # No kernel is a hundred times as fast as a core.
    assert all(float(speed) < 10_000 for row in rows for speed in row[2:5] if speed != "-")
    assert float(whole[-1]) == pytest.approx(sum(float(row[-1]) for row in rows), abs=2)
