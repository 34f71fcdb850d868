"""Measurement of several implementations in turns, for one network and number of subjects."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import jaxtyping as jt
import numpy as np

from benchmarks.implementations.environments import NotInstallable
from benchmarks.implementations.flops import of_a_step
from benchmarks.implementations.implementation import BACKPROP, KINDS
from benchmarks.implementations.process import WorkerProcess, ask_all
from benchmarks.measuring.machine import GIGA, available_memory, matrix_product
from benchmarks.measuring.turns import processor_seconds

MEMORY_KEPT = 2_000  # MB that measurements leave to the rest of the machine
LEAST_TURNS = 3
AGREEMENT = 1e-3  # relative difference of losses that different orders of summation may cause


@dataclass(frozen=True)
class Way:
    """An implementation under a rule, in one or several processes.

    Parameters
    ----------
    kind : str
        One of :data:`~benchmarks.implementations.implementation.KINDS`.
    rule : str
    processes : int
        Which share the subjects.
    """

    kind: str
    rule: str
    processes: int = 1

    @property
    def label(self) -> str:
        """Name in tables."""
        return self.kind + (f", {self.processes} processes" if self.processes > 1 else "")


@dataclass(frozen=True)
class Limits:
    """How long measurements may take.

    Parameters
    ----------
    turns : int
        Of each cell.
    turn_seconds : float
        Processor time of one turn of one way; one step at least.
    cell_seconds : float
        Processor time of all turns of a cell; no fewer than three turns.
    step_seconds : float
        A way of which one step is expected to take longer is left out.
    """

    turns: int = 7
    turn_seconds: float = 0.1
    cell_seconds: float = 20.0
    step_seconds: float = 3.0


@dataclass
class Cell:
    """Measurements of several ways in the same turns.

    Attributes
    ----------
    rates : dict
        Training steps of subjects in a second of the processor, (turn,), by way. Processes that run
        at the same time are added up.
    shares : dict
        Floating-point operations per second as a share of the dense kernel's in the same turn,
        (turn,), by way; the mean over processes.
    left_out : dict
        Why a way was not measured.
    """

    rates: dict[Way, jt.Float[np.ndarray, " turn"]] = field(default_factory=dict)
    shares: dict[Way, jt.Float[np.ndarray, " turn"]] = field(default_factory=dict)
    left_out: dict[Way, str] = field(default_factory=dict)


@dataclass
class _Cost:
    """What the last cell of a way took, from which the next is predicted."""

    size: int
    seconds: float  # of a step
    megabytes: float


class Workers:
    """Processes that are started when they are first needed, as a context manager that ends them.

    A process holds one network at a time, so that each way has processes of its own.
    """

    def __init__(self) -> None:
        self._started: dict[tuple[str, int, int], WorkerProcess] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Workers:
        self._stack.__enter__()
        return self

    def __exit__(self, *problem: object) -> None:
        self._stack.__exit__(*problem)  # type: ignore[arg-type]  # as they were given

    def of(self, way: Way) -> list[WorkerProcess]:
        """Processes of a way.

        Raises
        ------
        NotInstallable
            If their environment cannot be made.
        """
        keys = [(way.kind, way.processes, number) for number in range(way.processes)]
        for key in keys:
            if key not in self._started:
                self._started[key] = self._stack.enter_context(WorkerProcess(way.kind))
        return [self._started[key] for key in keys]


class Measurement:
    """Measurement of one network.

    Parameters
    ----------
    net : str
    limits : Limits
    product_size : int
        Rows of the matrices of the dense kernel.
    workers : Workers
    """

    def __init__(self, net: str, limits: Limits, product_size: int, workers: Workers) -> None:
        self._net, self._limits, self._workers = net, limits, workers
        self._product, self._operations = matrix_product(product_size), 2 * product_size**3
        self._costs: dict[Way, _Cost] = {}

    def cell(self, ways: Sequence[Way], size: int) -> Cell:
        """Measure ways in turns.

        Parameters
        ----------
        ways : sequence of Way
        size : int
            Number of subjects.

        Returns
        -------
        Cell

        Raises
        ------
        RuntimeError
            If losses show that an implementation does not train the same networks.
        """
        cell, steps, losses = Cell(), {}, {}
        for way in ways:
            if way.processes > size or not self._has_cores(way):
                cell.left_out[way] = "" if way.processes > size else "the machine has too few cores"
                continue
            try:
                steps[way], losses[way] = self._load(way, size)
            except (NotInstallable, _LeftOut) as problem:
                cell.left_out[way] = str(problem)
        _check(losses)
        found: dict[Way, list[float]] = {way: [] for way in steps}
        dense: list[float] = []
        spent = 0.0
        while len(dense) < self._limits.turns:
            if len(dense) >= LEAST_TURNS and spent > self._limits.cell_seconds:
                break
            dense.append(self._operations / processor_seconds(self._product, self._repeats()))
            for way, count in steps.items():
                answers = ask_all(self._workers.of(way), "turn", count)
                spent += max(each["seconds"] for each in answers)
                sizes = _parts(size, way) if KINDS[way.kind].trains_all else [1] * way.processes
                each_rate = [
                    part * count / answer["seconds"]
                    for part, answer in zip(sizes, answers, strict=True)
                ]
                found[way].append(sum(each_rate))
        for way, rates in found.items():
            cell.rates[way] = np.array(rates)
            operations = of_a_step(self._net, way.rule) * cell.rates[way] / way.processes
            cell.shares[way] = operations / np.array(dense)
            ask_all(self._workers.of(way), "unload")
        return cell

    def _repeats(self) -> int:
        """Products that take as long as a turn, on a machine of 100 GFLOP/s."""
        return max(1, round(self._limits.turn_seconds * 100 * GIGA / self._operations))

    def _has_cores(self, way: Way) -> bool:
        return (os.cpu_count() or 1) >= way.processes

    def _load(self, way: Way, size: int) -> tuple[int, list[float]]:
        """Load a way; steps of a turn, and the first losses."""
        self._refuse_what_is_too_large(way, size)
        workers = self._workers.of(way)
        for worker, part in zip(workers, _parts(size, way), strict=True):
            worker.send("load", self._net, way.rule, part)
        answers = [worker.answer() for worker in workers]
        for answer in answers:
            if problem := answer.get("problem"):
                raise _LeftOut(problem)
        calibrated = [worker.ask("calibrate", self._limits.turn_seconds) for worker in workers]
        seconds = max(each["seconds"] for each in calibrated)
        megabytes = sum(each["memory"] for each in answers)
        self._costs[way] = _Cost(size, seconds, megabytes)
        return min(each["steps"] for each in calibrated), answers[0]["losses"]

    def _refuse_what_is_too_large(self, way: Way, size: int) -> None:
        last = self._costs.get(way)
        if last is None or not KINDS[way.kind].trains_all:
            return
        seconds = last.seconds * size / last.size
        if seconds > self._limits.step_seconds:
            raise _LeftOut(f"a step would take about {seconds:.0f} s")
        megabytes, free = last.megabytes * size / last.size, available_memory() - MEMORY_KEPT
        if megabytes > free:
            raise _LeftOut(
                f"may need {megabytes / 1000:.0f} GB, of which {free / 1000:.0f} are free"
            )


class _LeftOut(Exception):
    """A way is not measured; the message says why."""


def _parts(size: int, way: Way) -> list[int]:
    """Subjects of each process."""
    return [len(part) for part in np.array_split(np.arange(size), way.processes)]


def _check(losses: dict[Way, list[float]]) -> None:
    """Refuse implementations that do not train the same networks."""
    for rule in {way.rule for way in losses}:
        # Backward weights differ between implementations, so that only the first loss is the same.
        compared = None if rule == BACKPROP else 1
        alike = [values[:compared] for way, values in losses.items() if way.rule == rule]
        if not np.allclose(alike, alike[0], rtol=AGREEMENT):
            raise RuntimeError(f"Implementations of {rule} do not train the same: {losses}")
