"""Pieces of work on a cluster, whose workers are threads of the process of the test."""

from __future__ import annotations

import importlib
import threading
import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from joblib import Parallel, delayed

from virtuallab.errors import MachineError, UserError
from virtuallab.lab.services.cluster.pool import ClusterPool
from virtuallab.lab.services.workers import Emit, Piece, Stop, Stopped

SECONDS = 20.0
NO_PAGE = {"dashboard_address": "127.0.0.1:0"}


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=False,
            dashboard_address=None,
            scheduler_kwargs=NO_PAGE,
            memory_limit=0,
            resources={"GPU": 1},
        ) as cluster,
        Client(cluster, set_as_default=False) as found,
    ):
        yield found


@pytest.fixture
def pool(client: Any) -> ClusterPool:
    return ClusterPool(client, "tcp://here:1")


def doubled(inputs: Iterable[Any], emit: Emit, stop: Stop) -> None:
    for each in inputs:
        stop.check()
        emit(2 * each)


def failing(inputs: Iterable[Any], emit: Emit, stop: Stop) -> None:
    wait_for(begun, "long")
    raise UserError("this piece cannot be computed")


@dataclass(frozen=True)
class Waiting:
    """Waits until it is stopped, and says so."""

    name: str

    def __call__(self, inputs: Iterable[Any], emit: Emit, stop: Stop) -> None:
        begun.add(self.name)
        limit = time.monotonic() + SECONDS
        while time.monotonic() < limit:
            try:
                stop.check()
            except Stopped:
                ended.add(self.name)
                raise
            time.sleep(0.01)


begun: set[str] = set()
ended: set[str] = set()


def wait_for(what: set[str], name: str) -> None:
    limit = time.monotonic() + SECONDS
    while name not in what:
        assert time.monotonic() < limit, f"{name} is missing"
        time.sleep(0.01)


def test_every_piece_is_computed_from_its_inputs_and_received_here(pool: ClusterPool) -> None:
    found: dict[int, list[int]] = {number: [] for number in range(30)}
    threads = set[int]()

    def receive(number: int, result: int) -> None:
        threads.add(threading.get_ident())
        found[number].append(result)

    pool.run(
        Piece(doubled, lambda each, n=n: receive(n, each), lambda n=n: (n, n + 1))  # type: ignore[misc]
        for n in range(30)
    )
    assert found == {number: [2 * number, 2 * number + 2] for number in range(30)}
    assert threads == {threading.get_ident()}, "one thread writes"
    assert pool.workers == 2


def test_arrays_come_back_as_they_were_and_can_be_written_into(pool: ClusterPool) -> None:
    found: list[np.ndarray] = []
    given = np.arange(6, dtype=">f4").reshape(2, 3)[:, ::2]
    pool.compute(Piece(doubled, found.append, lambda: [given]), Stop())
    [array] = found
    np.testing.assert_array_equal(array, 2 * given)
    assert array.dtype == (2 * given).dtype
    array[:] = 0


def test_few_pieces_are_under_way_at_once(pool: ClusterPool) -> None:
    read, most = 0, 0
    received = 0

    def inputs() -> tuple[int]:
        nonlocal read, most
        read += 1
        most = max(most, read - received)
        return (1,)

    def receive(_: int) -> None:
        nonlocal received
        received += 1

    pool.run([Piece(doubled, receive, inputs)] * 40)
    assert received == 40
    assert most <= 8, "inputs and results of more than these are never in memory"


def test_the_first_failure_is_raised_and_ends_the_work_that_is_under_way(
    pool: ClusterPool,
) -> None:
    begun.clear()
    ended.clear()
    with pytest.raises(UserError, match="this piece cannot be computed"):
        pool.run([Piece(Waiting("long"), print), Piece(failing, print)])
    wait_for(ended, "long")


def test_a_failure_while_results_are_stored_ends_the_work(pool: ClusterPool) -> None:
    def full(_: object) -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        pool.run([Piece(doubled, full, lambda: [1])] * 20)
    found: list[int] = []
    pool.run([Piece(doubled, found.append, lambda: [1])])
    assert found == [2], "the cluster goes on"


def test_a_piece_that_a_thread_waits_for_is_stopped(pool: ClusterPool) -> None:
    begun.clear()
    ended.clear()
    stop, raised = Stop(), list[BaseException]()

    def work() -> None:
        try:
            pool.compute(Piece(Waiting("asked"), print), stop)
        except Stopped as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    wait_for(begun, "asked")
    stop.request()
    thread.join(SECONDS)
    assert raised
    wait_for(ended, "asked")


def test_a_task_that_was_cancelled_elsewhere_is_computed_again(pool: ClusterPool) -> None:
    """Such as that of a worker that was retired."""
    counted.clear()
    found: list[int] = []
    pool.run([Piece(stopped_once, found.append)])
    assert found == [1]
    assert len(counted) == 2


counted: list[int] = []


def stopped_once(inputs: Iterable[Any], emit: Emit, stop: Stop) -> None:
    counted.append(1)
    if len(counted) == 1:
        raise Stopped
    emit(1)


def test_workers_that_would_train_on_a_card_and_have_none_are_refused(
    pool: ClusterPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    pool.check_device("cpu")
    words = (
        r"torch finds none on \S+ and \S+ of the cluster at tcp://here:1\. Give --device cpu, or"
    )
    with pytest.raises(UserError, match=words):
        pool.check_device("cuda")
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    pool.check_device("cuda")


def test_workers_without_the_resource_of_a_card_need_none_beside_those_with_it(
    client: Any, pool: ClusterPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = client.scheduler_info(n_workers=-1)["workers"]
    has_card = {first: True, second: False}
    monkeypatch.setattr(client, "run", lambda _: has_card)
    resources: dict[str, set[str]] = {first: {"GPU"}, second: set()}
    monkeypatch.setattr(pool, "_resources", lambda: resources)
    pool.check_device("cuda")
    resources[first] = set()
    with pytest.raises(UserError, match=f"torch finds none on {second} of"):
        pool.check_device("cuda")


def test_work_for_a_graphics_card_asks_for_one(pool: ClusterPool) -> None:
    found: list[int] = []
    pool.run([Piece(asked_resources, found.append, device=name) for name in ("cpu", "cuda")])
    assert sorted(found, key=str) == [None, {"GPU": 1}]


def asked_resources(inputs: Iterable[Any], emit: Emit, stop: Stop) -> None:
    from distributed import get_worker
    from distributed.worker import thread_state

    emit(get_worker().state.tasks[thread_state.key].resource_restrictions or None)


def test_a_worker_with_other_versions_refuses_its_task(pool: ClusterPool) -> None:
    """Workers may come after the first look at their versions."""
    setting = pool._setting
    pool._setting = replace(setting, versions={**setting.versions, "torch": "9.0"})
    words = r"worker inproc://\S+ has other versions than this process: torch \S+ \(here 9\.0\)"
    with pytest.raises(UserError, match=words):
        pool.run([Piece(doubled, print, lambda: [1])])


class Elsewhere:
    """Unpickled only where a package is installed."""

    def __reduce__(self) -> tuple[Any, ...]:
        return importlib.import_module, ("no_such_package",)

    def __call__(self, inputs: Iterable[Any], emit: Emit, stop: Stop) -> None:
        emit(1)


def test_a_package_that_a_worker_lacks_is_named(pool: ClusterPool) -> None:
    with pytest.raises(UserError, match=r"worker \S+ lacks a package.*no_such_package.*Install on"):
        pool.run([Piece(Elsewhere(), print)])


def double(number: int) -> int:
    if number < 0:
        raise UserError("a negative number")
    return 2 * number


@pytest.mark.parametrize("how", ["list", "generator_unordered"])
def test_calls_of_joblib_are_computed_by_the_cluster(pool: ClusterPool, how: str) -> None:
    with pool.joblib():
        found = Parallel(n_jobs=1, return_as=how)(delayed(double)(number) for number in range(50))
    assert sorted(found) == list(range(0, 100, 2))


def test_an_error_of_a_call_of_joblib_is_raised(pool: ClusterPool) -> None:
    with pool.joblib(), pytest.raises(UserError, match="a negative number"):
        Parallel(n_jobs=2)(delayed(double)(number) for number in range(3, -20, -1))


def test_after_the_context_joblib_computes_here(pool: ClusterPool) -> None:
    with pool.joblib():
        pass
    submitted: list[object] = []
    pool.submit = submitted.append  # type: ignore[method-assign,assignment]
    assert Parallel(n_jobs=1)([delayed(double)(1)]) == [2]
    assert submitted == []


def test_a_lost_scheduler_is_said_and_what_to_do() -> None:
    from distributed import Client, LocalCluster

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cluster = LocalCluster(
            n_workers=1, processes=False, dashboard_address=None, scheduler_kwargs=NO_PAGE
        )
        client = Client(cluster, set_as_default=False)
        pool = ClusterPool(client, "tcp://gone:1")
        client.close()
        cluster.close()
    words = "scheduler at tcp://gone:1 was lost.*the same command goes on from here"
    for lost in (lambda: pool.workers, lambda: pool.run([Piece(doubled, print)])):
        with pytest.raises(MachineError, match=words):
            lost()
