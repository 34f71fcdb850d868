"""The factorial of 1,056 subjects: ``python -m studies.factorial``, some hours.

Trains and records the subjects of protocols/nayebi2020.yaml, identifies each by decoders that were
trained on others, and writes docs/science/results/factorial_*.md and docs/images/factorial_*.png.
Interrupted, it continues where it stopped.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Final

from rich.console import Console

import virtuallab as vl
from studies.factorial.claims import Evidence
from studies.factorial.figures import draw_figures
from studies.factorial.layers import evaluate_layers
from studies.factorial.pages import write_pages
from studies.factorial.predictions import complete_tasks, predict_all, tasks
from studies.factorial.share import write_files_table, write_shared
from studies.factorial.subjects import COMPLETE, Recorded

ROOT: Final = Path(__file__).parents[2]
PROTOCOL: Final = ROOT / "protocols" / "nayebi2020.yaml"


def main() -> None:
    """Train, record, predict and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, default=Path("runs/nayebi2020.zarr"))
    parser.add_argument("--results", type=Path, default=ROOT / "docs" / "science" / "results")
    parser.add_argument("--images", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--without-designs", action="store_true", help="do not compare recording designs"
    )
    parser.add_argument("-s", "--set", action="append", default=[], help="override a setting")
    asked = parser.parse_args()
    os.chdir(ROOT)
    overrides, workers = tuple(asked.set), asked.workers
    vl.run(PROTOCOL, overrides, store=asked.store, workers=workers, verbose=Console())
    folder = asked.store.with_suffix(".predictions")
    sampled = Recorded.of(asked.store, PROTOCOL, overrides)
    complete = Recorded.of(asked.store, PROTOCOL, overrides, probe=COMPLETE)
    predict_all(sampled, folder, workers, tasks())
    predict_all(complete, folder / COMPLETE, workers, complete_tasks())
    designs = None
    if not asked.without_designs:
        designs = vl.compare(
            PROTOCOL, overrides, store=asked.store, workers=workers, verbose=Console()
        )
    evidence = Evidence(
        complete=complete,
        sampled=sampled,
        complete_folder=folder / COMPLETE,
        sampled_folder=folder,
        layers=evaluate_layers(complete, folder / COMPLETE, workers),
        designs=designs,
        workers=workers,
    )
    write_pages(evidence, asked.results)
    draw_figures(evidence, asked.images)
    shared = asked.store.with_name(f"{asked.store.stem}_shared")
    write_shared(asked.store, shared)
    write_files_table(shared, asked.results)


if __name__ == "__main__":
    main()
