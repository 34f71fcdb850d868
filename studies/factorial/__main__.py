"""The factorial of 1,056 subjects: ``python -m studies.factorial``, some hours.

Trains and records the subjects of protocols/nayebi2020.yaml, identifies each by decoders that were
trained on others, and writes docs/science/results/factorial_*.md and docs/images/factorial_*.png.
Interrupted, it continues where it stopped. Kinds and seeds for confirmation
(protocols/nayebi2020_confirmation.yaml) are not used.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Final

from rich.console import Console

import virtuallab as vl
from studies.factorial.figures import draw_figures
from studies.factorial.pages import write_pages
from studies.factorial.predictions import predict_all, tasks
from studies.factorial.subjects import Recorded

ROOT: Final = Path(__file__).parents[2]
PROTOCOL: Final = ROOT / "protocols" / "nayebi2020.yaml"


def main() -> None:
    """Train, record, predict and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, default=Path("runs/nayebi2020.zarr"))
    parser.add_argument("--results", type=Path, default=ROOT / "docs" / "science" / "results")
    parser.add_argument("--images", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("-s", "--set", action="append", default=[], help="override a setting")
    asked = parser.parse_args()
    os.chdir(ROOT)
    overrides = tuple(asked.set)
    vl.run(PROTOCOL, overrides, store=asked.store, workers=asked.workers, verbose=Console())
    recorded = Recorded.of(asked.store, PROTOCOL, overrides)
    folder = asked.store.with_suffix(".predictions")
    predict_all(recorded, folder, asked.workers, tasks())
    write_pages(recorded, folder, asked.results, asked.workers)
    draw_figures(recorded, folder, asked.images, asked.workers)


if __name__ == "__main__":
    main()
