"""Threads that stop cleanly, and the device they may use."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
import torch

from virtuallab.errors import Interrupted, UserError
from virtuallab.lab.services.workers import (
    Stop,
    Stopped,
    find_device,
    on_threads,
    run_all,
    stoppable,
    torch_threads,
)

SECONDS = 10.0  # after which a thread that was forgotten ends by itself


def until_stopped(stop: Stop, ended: list[str]) -> None:
    """Work until a stop is requested."""
    limit = time.monotonic() + SECONDS
    try:
        while time.monotonic() < limit:
            stop.check()
            time.sleep(0.001)
    except Stopped:
        ended.append("stopped")
        raise
    ended.append("forgotten")


@pytest.mark.parametrize("workers", [1, 3])
def test_every_piece_of_work_is_done_once(workers: int) -> None:
    done: list[int] = []

    def piece(number: int) -> Callable[[Stop], None]:
        return lambda _: done.append(number)

    run_all([piece(number) for number in range(7)], workers)
    assert sorted(done) == [0, 1, 2, 3, 4, 5, 6]


def test_as_many_pieces_run_at_once_as_there_are_workers() -> None:
    together = threading.Barrier(3)
    run_all([lambda _: together.wait(SECONDS) and None] * 3, 3)
    assert not together.broken


def test_a_failure_is_raised_and_ends_the_work_that_is_under_way() -> None:
    ended: list[str] = []
    begun = threading.Event()

    def long(stop: Stop) -> None:
        begun.set()
        until_stopped(stop, ended)

    def fails(_: Stop) -> None:
        begun.wait(SECONDS)
        raise ValueError("this one")

    with pytest.raises(ValueError, match="this one"):
        run_all([long, fails], 2)
    assert ended == ["stopped"]


def test_after_a_failure_no_further_piece_begins() -> None:
    begun: list[int] = []

    def fails(_: Stop) -> None:
        raise ValueError("first")

    def held(stop: Stop) -> None:
        until_stopped(stop, [])

    def later(_: Stop) -> None:
        begun.append(1)

    with pytest.raises(ValueError, match="first"):
        run_all([held, fails, held, *[later] * 5], 2)
    assert begun == []


def test_an_interruption_of_the_caller_ends_the_work_and_is_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended: list[str] = []

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("virtuallab.lab.services.workers.wait", interrupted)
    begun = threading.Event()

    def submitted(stop: Stop) -> None:
        begun.set()
        until_stopped(stop, ended)

    with pytest.raises(KeyboardInterrupt):
        run_all([submitted], 1)
    assert ended == (["stopped"] if begun.is_set() else [])


@pytest.mark.parametrize(
    ("goes_on", "words"),
    [(True, "the same command goes on from here"), (False, "the same command begins anew")],
)
def test_an_interruption_says_what_the_same_command_does_next(goes_on: bool, words: str) -> None:
    with pytest.raises(Interrupted, match=words), stoppable(goes_on=goes_on):
        raise KeyboardInterrupt


def test_other_errors_pass_as_they_are() -> None:
    error = ValueError("another")
    with pytest.raises(ValueError, match="another") as caught, stoppable():
        raise error
    assert caught.value is error


def test_threads_of_torch_are_put_back_after_a_failure_too() -> None:
    before = torch.get_num_threads()
    inside = []

    def work() -> None:
        with torch_threads(before + 1):
            inside.append(torch.get_num_threads())
            raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        work()
    assert inside == [before + 1]
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(("wrong", "near"), [("cud", "cuda"), ("Auto", "auto"), ("CPU", "cpu")])
def test_a_device_that_is_not_known_is_named_with_the_nearest_one(wrong: str, near: str) -> None:
    with pytest.raises(UserError, match=rf"no device is called '{wrong}'\. .*'{near}'"):
        find_device(wrong)


@pytest.mark.parametrize(("there", "found"), [(True, "cuda"), (False, "cpu")])
def test_auto_is_a_gpu_where_torch_finds_one(
    monkeypatch: pytest.MonkeyPatch, there: bool, found: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert find_device("auto") == found
    assert find_device("cpu") == "cpu"


def test_a_gpu_is_refused_only_where_torch_finds_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert find_device("cuda") == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match=r"torch finds none\. Use 'cpu' or 'auto'"):
        find_device("cuda")


@pytest.mark.parametrize("workers", [1, 3])
def test_results_are_in_the_order_of_the_items(workers: int) -> None:
    assert on_threads(
        lambda seconds: time.sleep(seconds) or seconds, [0.02, 0.0, 0.01], workers
    ) == [
        0.02,
        0.0,
        0.01,
    ]


def test_what_an_item_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        on_threads(lambda number: 1 / number, [1, 0, 2], 2)
