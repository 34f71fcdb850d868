"""The option ``--scheduler``: where pieces of work are computed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console

from virtuallab.errors import UserError
from virtuallab.lab.services.resources import cores
from virtuallab.lab.services.workers import LocalPool, WorkerPool, find_device
from virtuallab.paths import expanded

LOCAL = "local"
_ADDRESS = re.compile(r"(tcp|tls|ws|wss)://(\[[^\]]+\]|[^:/\s\[\]]+):(\d{1,5})/?")
_FORMS = (
    "Give 'local' for processes of this machine, the address of a running scheduler, "
    "tcp://HOST:PORT, or the file that `dask scheduler --scheduler-file FILE` writes."
)
_PACKAGES = ("distributed", "cloudpickle")


def check_workers(scheduler: str | Path | None, workers: int | None, device: str = "cpu") -> str:
    """Return the device of workers; refuse those that cannot be had, before anything is computed.

    Parameters
    ----------
    scheduler : str, Path or None
        ``"local"``, an address, or a scheduler file; None for threads of this process.
    workers : int or None
        The number that was asked for.
    device : str
        Where they train, ``"cpu"``, ``"cuda"`` or ``"auto"``.

    Returns
    -------
    str
        ``"cpu"`` or ``"cuda"``.

    Raises
    ------
    UserError
    """
    found = find_device(device, here=scheduler is None or scheduler == LOCAL)
    if scheduler is None:
        return found
    for package in _PACKAGES:
        if find_spec(package) is None:
            raise UserError(
                f"--scheduler needs the package {package}, which is not installed. Install it "
                'with: pip install "virtuallab[cluster]"; in the folder of virtuallab: pip install '
                '-c constraints.txt -e ".[cluster]"'
            )
    if scheduler == LOCAL:
        return found
    if workers is not None:
        raise UserError(
            "--workers is the number of processes of --scheduler local. A running cluster has its "
            "own workers: leave --workers out."
        )
    address_of(scheduler)
    return found


@contextmanager
def open_pool(
    scheduler: str | Path | None, workers: int | None, console: Console, device: str = "cpu"
) -> Iterator[WorkerPool]:
    """Open the workers that compute within the block.

    Parameters
    ----------
    scheduler : str, Path or None
        As for :func:`check_workers`.
    workers : int or None
        Threads of this process, or processes of a local cluster; as many as there are cores if
        None.
    console : rich.console.Console
        For what the user should know about a cluster.
    device : str
        Where workers train, ``"cpu"`` or ``"cuda"``.

    Yields
    ------
    WorkerPool

    Raises
    ------
    UserError
        If no scheduler answers, or its workers have other versions or no such device.
    """
    if scheduler is None:
        yield LocalPool(workers or cores())
        return
    from virtuallab.lab.services.cluster.connection import local_pool, remote_pool

    if scheduler == LOCAL:
        with local_pool(workers or cores()) as pool:
            yield pool
    else:
        with remote_pool(address_of(scheduler), console, device) as pool:
            yield pool


def address_of(scheduler: str | Path) -> str:
    """Return the address of a running scheduler.

    Parameters
    ----------
    scheduler : str or Path
        An address, or a scheduler file.

    Raises
    ------
    UserError
        If it is neither.
    """
    text = str(scheduler).strip()
    if "://" in text:
        return _checked(text, f"--scheduler {text!r}")
    if not text:
        raise UserError(f"--scheduler is empty. {_FORMS}")
    file = expanded(scheduler, "scheduler")
    if file.is_dir():
        raise UserError(f"--scheduler {text!r} is a folder. {_FORMS}")
    if not file.is_file():
        with_scheme = f"tcp://{text}"
        near = [LOCAL] if text.casefold() == LOCAL else []
        near += [with_scheme] if _ADDRESS.fullmatch(with_scheme) else []
        hint = f"Did you mean {near[0]!r}? " if near else ""
        raise UserError(f"--scheduler {text!r}: there is no such file. {hint}{_FORMS}")
    try:
        found = json.loads(file.read_text(encoding="utf-8"))["address"]
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{file} is not the file of a Dask scheduler. {_FORMS}") from None
    return _checked(str(found), f"{file}: address {found!r}")


def _checked(address: str, where: str) -> str:
    found = _ADDRESS.fullmatch(address)
    if found is None or not 0 < int(found[3]) < 2**16:
        raise UserError(f"{where} is not the address of a Dask scheduler. {_FORMS}")
    return address.rstrip("/")
