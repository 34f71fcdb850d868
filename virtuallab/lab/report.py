"""``report``: the verdict of an experiment, and its report as a page."""

from __future__ import annotations

from pathlib import Path

import xarray as xr
from rich.console import Console

from virtuallab.console import say
from virtuallab.lab.services.console import Verbose, console_of
from virtuallab.lab.services.output_files import (
    check_in_folder,
    check_page,
    is_page,
    write_page,
)
from virtuallab.lab.stages.experiment import open_partial
from virtuallab.paths import expanded
from virtuallab.reporting import experiment_page, verdict_table
from virtuallab.reporting.figures.recorded_activity import RecordingCheck, unchecked
from virtuallab.store import Store
from virtuallab.store.integrity.damage import Damage, raise_if_damaged
from virtuallab.store.integrity.verification import damaged_parts
from virtuallab.store.layout.location import records_folder


def report(
    store: str | Path, output: str | Path | None = None, *, verbose: Verbose = False
) -> xr.DataTree:
    """Write the report of an experiment, one self-contained HTML page.

    Parameters
    ----------
    store : str or Path
        The experiment, ``runs/NAME.zarr``.
    output : str or Path, optional
        The page; ``runs/NAME.html`` if not given.
    verbose : bool or rich.console.Console
        Print the verdict.

    Returns
    -------
    xr.DataTree
        The experiment, opened.

    Raises
    ------
    UserError
        If no file can be written at ``output``.
    MachineError
        If the disk is full or fails: the verdict is printed, and an older report is as it was. Or
        if something is damaged; what other protocols have added to the experiment is then left out
        of verdict and report, and named after them.
    """
    root = expanded(store, "store")
    page = None if output is None else expanded(output, "output")
    tree, left_out = write_report(root, page, console_of(verbose))
    raise_if_damaged(left_out, root)
    return tree


def write_report(
    store: Path, output: Path | None, console: Console
) -> tuple[xr.DataTree, list[Damage]]:
    """Report on an experiment without damaged parts that other protocols have added to it.

    Returns
    -------
    tuple
        The experiment, opened; the damage that was left out.

    Raises
    ------
    UserError, MachineError
        As :func:`report`.
    """
    if output is not None:
        check_in_folder(output)
        check_page(output)
    own, added = damaged_parts(store)
    raise_if_damaged((damage for part in own.values() for damage in part), store)
    tree = open_partial(store, added)
    console.print(verdict_table(tree))
    page = output or store.with_suffix(".html")
    write_page(page, lambda: experiment_page(tree, check=_check_of(store)))
    say(console, f"Report: {page}")
    return tree, [damage for part in added.values() for damage in part]


def remake_page(store: Path, tree: xr.DataTree, console: Console) -> None:
    """Write the report page of an experiment anew, if there is one, since its results changed.

    Parameters
    ----------
    store : Path
    tree : xr.DataTree
        The experiment, opened without what is damaged.
    console : rich.console.Console

    Raises
    ------
    VirtuallabError
        If it cannot be written. The older page is then as it was.
    """
    page = store.with_suffix(".html")
    if not is_page(page):
        return
    if damaged_parts(store)[0]:  # of the experiment's own, without which there is no report
        say(console, f"Report: {page} is older than these results")
        return
    write_page(page, lambda: experiment_page(tree, check=_check_of(store)))
    say(console, f"Report: {page}")


def _check_of(path: Path) -> RecordingCheck:
    """Return what compares recordings with their checksums, where the store's records are there."""
    if not records_folder(path).is_dir():
        return unchecked
    store = Store.open(path)
    return lambda node, subject: store.check_values(node, [subject])
