"""``export``: copy an experiment without the states of its subjects, to hand it round."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from virtuallab.console import say
from virtuallab.errors import UserError
from virtuallab.lab.open import open as open_experiment
from virtuallab.lab.services.console import Verbose, console_of
from virtuallab.lab.services.output_files import check_folder
from virtuallab.lab.services.resources import megabytes, stored
from virtuallab.lab.stages.coverage import coverage
from virtuallab.lab.stages.nodes import (
    REFERENCES,
    SNAPSHOTS,
    check_trained,
    probes_in,
)
from virtuallab.paths import expanded
from virtuallab.store import Store, copy_store


def export(store: str | Path, out: str | Path, *, verbose: Verbose = False) -> xr.DataTree:
    """Copy an experiment without the states of its subjects, which take most of its space.

    The copy has the same subjects, truth, recordings, features, analyses and provenance, bit for
    bit. It can be opened, reported and decoded again. Without preserved states and reference
    networks, it cannot be recorded again (:func:`virtuallab.probe`, :func:`virtuallab.compare`).

    Parameters
    ----------
    store : str or Path
        The experiment, ``runs/NAME.zarr``, which is not changed.
    out : str or Path
        The copy, ``FOLDER/NAME.zarr``; nothing may exist there. Its records are written beside it,
        ``FOLDER/NAME.records``: hand on both.
    verbose : bool or rich.console.Console
        Print both sizes.

    Returns
    -------
    xr.DataTree
        The copy, opened.

    Raises
    ------
    UserError
        If not all subjects are trained, or a probe has not recorded all of them: what is missing
        could not be added to the copy.
    StoreError
        If there is no such experiment, or something exists at ``out``.
    MachineError
        If the experiment is damaged, or the disk is full or fails.
    """
    source, place = Store.open(expanded(store, "store")), expanded(out, "out")
    check_folder(place)
    check_trained(source)
    for name in probes_in(source):
        found = coverage(source, name)
        if not found.is_complete:
            raise UserError(f"{source.path}: {found}; {found.how_to_finish(source)}.")
    copy_store(source, place, without=(SNAPSHOTS, REFERENCES))
    sizes = f"{megabytes(stored(place))} of {megabytes(stored(source.path))}"
    say(console_of(verbose), f"{place}: {sizes}, without the states of the subjects.")
    return open_experiment(place)
