"""How soon commands answer, beside a bare import: ``python -m benchmarks.startup``, two minutes.

Each command and ``python -c "import typer, rich"`` take turns, each in a process of its own; the
figure is the median over turns of the ratio of processor time, which other work on the machine
disturbs least. Quote ratios: times belong to a machine.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import xarray as xr

from virtuallab.store import create_store

ROOT = Path(__file__).resolve().parent.parent
QUICKSTART = "protocols/quickstart.yaml"
BARE = [sys.executable, "-c", "import typer, rich"]
COMMANDS = {
    "list": ("list",),
    "list rules oja": ("list", "rules", "oja"),
    "schema": ("schema",),
    "status": ("status", "STORE"),
    "validate --syntax": ("validate", "--syntax", QUICKSTART),
    "validate": ("validate", QUICKSTART),
    "plan": ("plan", QUICKSTART),
}


def seconds(command: list[str]) -> float:
    """Processor time of a command, its children included."""
    before = os.times()
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return (
        after.children_user - before.children_user + after.children_system - before.children_system
    )


def store_in(folder: Path) -> Path:
    """Make a store of 160 subjects."""
    path = folder / "small.zarr"
    names = [f"sub-{index:04d}" for index in np.arange(160)]
    table = xr.Dataset(coords={"subject": xr.DataArray(names, dims="subject")})
    create_store(path, subjects=table, provenance={}, plan={"cohorts": [list(range(160))]})
    return path


def main() -> None:
    """Take turns and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--turns", type=int, default=7)
    turns = parser.parse_args().turns
    with tempfile.TemporaryDirectory() as folder:
        store = str(store_in(Path(folder)))
        print(f"{'command':20}{'times a bare import':>20}{'seconds':>10}")
        for name, words in COMMANDS.items():
            arguments = [store if word == "STORE" else word for word in words]
            command = [sys.executable, "-m", "virtuallab", *arguments]
            seconds(command)  # compiled, and in the cache of the disk
            pairs = [(seconds(command), seconds(BARE)) for _ in range(turns)]
            ratio = np.median([one / bare for one, bare in pairs])
            print(f"{name:20}{ratio:20.1f}{np.median([one for one, _ in pairs]):10.2f}")


if __name__ == "__main__":
    main()
