"""Does the noise of an instrument identify the rule? ``python studies/noise_alone.py``.

Every kind of instrument records the subjects of protocols/noise_alone.yaml at a signal-to-noise
ratio of 0.00001, so that only its noise is left (about a quarter of an hour on two cores, with the
subjects of runs/quickstart.zarr if they exist). Writes docs/science/results/noise_alone.md.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
from rich.console import Console

from virtuallab.lab.designs.compare import compare
from virtuallab.reporting.style import pretty
from virtuallab.vocabulary import DESIGN, OBSERVABLE

ROOT = Path(__file__).parent.parent
RESULT = ROOT / "docs" / "science" / "results" / "noise_alone.md"
SUBJECTS = Path("runs/quickstart.zarr")  # the same as those of the protocol


def main() -> None:
    """Compare, and write a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=None)
    workers = parser.parse_args().workers
    os.chdir(ROOT)
    found = compare(
        Path("protocols/noise_alone.yaml"),
        subjects=SUBJECTS if SUBJECTS.exists() else None,
        workers=workers,
        verbose=Console(),
    ).squeeze("classifier")
    lines = ["| instrument | from | balanced accuracy (95 %) |", "| --- | --- | --- |"]
    highest = 0.0
    for design in map(str, found[DESIGN].values):
        for observable in map(str, found[OBSERVABLE].values):
            one = found.sel({DESIGN: design, OBSERVABLE: observable})
            accuracy = float(one["balanced_accuracy"])
            if np.isfinite(accuracy):
                low, high = map(float, one["interval"].values)
                highest = max(highest, high)
                cells = (design, pretty(observable), f"{accuracy:.2f} ({low:.2f} to {high:.2f})")
                lines.append("| " + " | ".join(cells) + " |")
    lines += [
        "",
        f"{found.attrs['n_subjects']} subjects of four rules, chance 0.25, the mean over "
        f"{found.sizes['seed']} implantations; the highest upper limit is {highest:.2f}.",
    ]
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
