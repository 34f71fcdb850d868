"""Run protocols drawn at random to their end: ``python -m tests.generated --count 1000``."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.generated.walk import Walked, walk

_LONG = 10  # seconds
_SAID = 10  # protocols, after which it is said how many ran


def _one(seed: int) -> tuple[Walked, float]:
    import torch

    torch.set_num_threads(1)
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        found = walk(seed, Path(folder))
    return found, time.process_time() - began


def main() -> int:
    """Walk each seed's protocol; say how many ran, were refused, failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.generated", description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="protocols")
    parser.add_argument("--first", type=int, default=0, help="seed of the first")
    parser.add_argument("--seed", type=int, help="this one alone")
    parser.add_argument("--show", action="store_true", help="print the protocol of --seed")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--refused", action="store_true", help="print why protocols are refused")
    options = parser.parse_args()
    seeds: Iterable[int] = range(options.first, options.first + options.count)
    if options.seed is not None:
        seeds = [options.seed]
        if options.show:
            from tests.generated.protocols import generated, text_of

            print(text_of(generated(options.seed)))
    count, spent, done = Counter[str](), 0.0, 0
    with ProcessPoolExecutor(options.workers) as pool:
        for found, seconds in pool.map(_one, seeds):
            count[found.outcome] += 1
            spent += seconds
            if found.outcome == "failed" or (found.outcome == "refused" and options.refused):
                print(f"--- seed {found.seed} {found.outcome} at {found.step}\n{found.words}")
            if seconds > _LONG:
                print(f"--- seed {found.seed} took {seconds:.0f} s of processor time")
            if (done := sum(count.values())) % _SAID == 0:
                print(_summary(count, spent))
            sys.stdout.flush()
    if done % _SAID:
        print(_summary(count, spent))
    return 1 if count["failed"] else 0


def _summary(count: Counter[str], spent: float) -> str:
    total = sum(count.values())
    return (
        f"{total} protocols: {count['ran']} ran to the end, {count['refused']} refused by "
        f"validate, {count['failed']} failed; {spent / total:.1f} s of processor time each"
    )


if __name__ == "__main__":
    sys.exit(main())
