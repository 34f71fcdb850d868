"""What can be said of ``--scheduler`` before anything is computed."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import virtuallab as vl
from tests.lab.stages.tiny import TEXT
from virtuallab.errors import UserError
from virtuallab.lab.services import scheduler
from virtuallab.lab.services.cluster import connection
from virtuallab.lab.services.scheduler import address_of, check_workers, open_pool
from virtuallab.lab.services.workers import LocalPool

QUIET = Console(quiet=True)


def test_without_a_scheduler_threads_compute() -> None:
    check_workers(None, 3)
    with open_pool(None, 3, QUIET) as pool:
        assert isinstance(pool, LocalPool)
        assert pool.workers == 3


def test_without_a_scheduler_the_cluster_is_not_imported(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(TEXT, encoding="utf-8")
    script = (
        "import sys, virtuallab\n"
        "virtuallab.run('tiny.yaml', ['subjects.cohort=4'], workers=1)\n"
        "print([name for name in sys.modules if 'distributed' in name.split('.')[0]])\n"
        "print([name for name in sys.modules if name.startswith('virtuallab.lab.services.cl')])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.stdout.splitlines() == ["[]", "[]"], done.stderr


@pytest.mark.parametrize(
    "address", ["tcp://10.0.0.1:8786", "tls://head.cluster:1", "tcp://[::1]:8786", "ws://a:80/"]
)
def test_addresses_are_taken_as_they_are(address: str) -> None:
    assert address_of(address) == address.rstrip("/")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            "http://head:8787",
            r"'http://head:8787' is not the address of a Dask scheduler\. Give",
        ),
        ("tcp://head", "is not the address"),
        ("tcp://head:99999", "is not the address"),
        ("tcp://:8786", "is not the address"),
        ("head:8786", r"no such file\. Did you mean 'tcp://head:8786'\? Give 'local'"),
        ("LOCAL", r"'LOCAL': there is no such file\. Did you mean 'local'\? Give 'local' for"),
        (" local", r"Did you mean 'local'\?"),
        ("", r"^--scheduler is empty\. Give 'local' for processes of this machine"),
        (" ", "is empty"),
        (Path(), r"'\.' is a folder\. Give 'local'.*or the file that `dask scheduler --sche"),
        ("no/such.json", "no such file"),
    ],
)
def test_what_is_no_scheduler_is_refused_with_what_to_give(given: str | Path, words: str) -> None:
    with pytest.raises(UserError, match=words):
        check_workers(given, None)


def test_a_scheduler_file_has_the_address(tmp_path: Path) -> None:
    file = tmp_path / "scheduler.json"
    file.write_text('{"type": "Scheduler", "address": "tcp://127.0.0.1:8786"}', encoding="utf-8")
    assert address_of(file) == "tcp://127.0.0.1:8786"


@pytest.mark.parametrize("text", ["{}", "[]", "no JSON", '{"address": "head"}', '{"address": 3}'])
def test_another_file_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "other.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=r"other\.json.* is not the (file|address) of a Dask"):
        check_workers(file, None)


def test_workers_of_a_running_cluster_cannot_be_counted_out() -> None:
    check_workers("local", 2)
    with pytest.raises(UserError, match="A running cluster has its own workers"):
        check_workers("tcp://127.0.0.1:8786", 2)


def test_the_device_of_another_machine_is_not_looked_for_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    check_workers("tcp://127.0.0.1:8786", None, "cuda")
    for own in (None, "local"):
        with pytest.raises(UserError, match="torch finds none"):
            check_workers(own, None, "cuda")
    with pytest.raises(UserError, match="no device is called 'gpu'"):
        check_workers("tcp://127.0.0.1:8786", None, "gpu")


@pytest.mark.parametrize("missing", ["distributed", "cloudpickle"])
def test_a_missing_package_is_named_with_how_to_get_it(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    found: Callable[[str], Any] = lambda name: None if name == missing else find(name)  # noqa: E731
    monkeypatch.setattr(scheduler, "find_spec", found)
    words = rf'the package {missing}, which is not installed.*pip install "virtuallab\[cluster\]"'
    for given in ("local", "tcp://127.0.0.1:8786", "no/such.json"):
        with pytest.raises(UserError, match=words):
            check_workers(given, None)
    check_workers(None, None)


COMMANDS: dict[str, Callable[..., Any]] = {
    "run": lambda path, store, **how: vl.run(path, store=store, **how),
    "compare": lambda path, store, **how: vl.compare(path, store=store, **how),
    "power": lambda path, store, **how: vl.power(path, store=store, **how),
    "search": lambda path, store, **how: vl.search(path, storage=store, **how),
    "probe": lambda path, store, **how: vl.probe(store, path, **how),
    "decode": lambda path, store, **how: vl.decode(store, path, **how),
    "identify": lambda path, store, **how: vl.identify(store, path, **how),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_refuses_an_address_before_anything_else(
    command: str, tmp_path: Path
) -> None:
    path, store = tmp_path / "no.yaml", tmp_path / "no.zarr"
    with pytest.raises(UserError, match="is not the address of a Dask scheduler"):
        COMMANDS[command](path, store, scheduler="tcp://head")
    assert not list(tmp_path.iterdir())


def test_an_address_at_which_nothing_answers_is_refused_before_a_store_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_SECONDS", 1)
    with socket.socket() as taken:  # bound, and not listening
        taken.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        (tmp_path / "tiny.yaml").write_text(TEXT, encoding="utf-8")
        with pytest.raises(UserError, match=f"no Dask scheduler answers at {address}"):
            vl.run(tmp_path / "tiny.yaml", store=tmp_path / "tiny.zarr", scheduler=address)
    assert [file.name for file in tmp_path.iterdir()] == ["tiny.yaml"]


def test_another_server_is_not_taken_for_a_scheduler() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with suppress(OSError), server.accept()[0] as connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 20)
                connection.recv(1000)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        words = rf"no Dask scheduler answers at {address} \(something else does\)"
        with pytest.raises(UserError, match=words), open_pool(address, None, QUIET):
            pass
