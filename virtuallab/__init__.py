"""A virtual electrophysiology laboratory.

Networks are the subjects, plasticity rules change them while they learn, probes record what an
experimenter could see of it, and a decoder says which rule was at work.

>>> import virtuallab as vl
>>> tree = vl.run("protocols/quickstart.yaml")  # doctest: +SKIP
>>> tree = vl.open("runs/quickstart.zarr")  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr

__version__ = "0.1.0"
__all__ = ["open", "run"]

# The laboratory imports torch, which takes seconds: only what is called is imported.


def run(
    protocol: str | Path,
    overrides: Sequence[str] = (),
    *,
    store: str | Path | None = None,
    workers: int | None = None,
    device: str = "cpu",
) -> xr.DataTree:
    """Do a whole experiment and open it; see :func:`virtuallab.lab.run.run`."""
    from rich.console import Console

    import virtuallab.accessor  # noqa: F401  # every recording has its .lab
    from virtuallab.lab import run as experiment
    from virtuallab.paths import expanded

    return experiment.run(
        expanded(protocol),
        overrides,
        store=None if store is None else expanded(store),
        workers=workers,
        device=device,
        console=Console(),
    )


def open(path: str | Path) -> xr.DataTree:
    """Open an experiment: all coordinates loaded, values read when they are needed.

    Its recordings have ``.lab``; see :class:`virtuallab.accessor.RecordingAccessor`.

    Raises
    ------
    virtuallab.errors.StoreError
        If there is no experiment at this path.
    """
    import virtuallab.accessor  # noqa: F401  # every recording has its .lab
    from virtuallab.paths import expanded
    from virtuallab.store import open_tree

    return open_tree(expanded(path))
