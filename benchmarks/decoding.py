"""Parts of decoding beside those of scikit-learn and zarr: ``python -m benchmarks.decoding``, 20 s.

Machines of each rule against the rest, medians of missing values, and the chunks of a recording, as
the lab makes them and as the libraries make them, take turns on the same numbers, on one thread;
the figure is the median over turns of the ratio of processor times. Results are compared to the
last bit. Quote ratios: times belong to a machine.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from sklearn.impute import SimpleImputer
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import SVC

from benchmarks.measuring.turns import processor_seconds
from virtuallab.decoder.estimators.radial_machines import decision_values, fit_radial_machines
from virtuallab.decoder.features.preprocessing import MedianImputer
from virtuallab.store.layout.chunk import write_chunk

Work = Callable[[], np.ndarray]

TRAINED, TESTED, COLUMNS, RULES = 115, 13, 1_400, 4  # of a calibration fold of the quickstart
CHUNK = (21, 200)  # weights of a recording


def samples(rows: int) -> np.ndarray:
    """Standardised samples whose rules differ a little."""
    values = np.random.default_rng(rows).standard_normal((rows, COLUMNS))
    values[:, :50] += np.arange(rows)[:, None] % RULES
    return values


def weights(machines: OneVsRestClassifier) -> np.ndarray:
    """Weights of the support vectors of all machines."""
    return np.concatenate([machine.dual_coef_[0] for machine in machines.estimators_])


def pairs() -> Iterator[tuple[str, Work, Work]]:
    """Yield the name of a part, the lab's way, and the library's."""
    trained, tested = samples(TRAINED), samples(TESTED)
    labels = np.array(list("abcd"))[np.arange(TRAINED) % RULES]
    plain = OneVsRestClassifier(SVC(C=10.0, random_state=0))
    own = fit_radial_machines(trained, labels, cost=10.0, random_state=0)
    theirs = OneVsRestClassifier(SVC(C=10.0, random_state=0)).fit(trained, labels)
    yield (
        "machines of four rules, fitted",
        lambda: weights(fit_radial_machines(trained, labels, cost=10.0, random_state=0)),
        lambda: weights(plain.fit(trained, labels)),
    )
    yield (
        "their decision values",
        lambda: decision_values(own, tested),
        lambda: theirs.decision_function(tested),
    )
    yield (
        "medians in the place of missing values",
        lambda: MedianImputer().fit_transform(trained),
        lambda: SimpleImputer(strategy="median").fit_transform(trained),
    )
    with chunks() as (array, numbers, content):
        values = np.random.default_rng(0).standard_normal(CHUNK, dtype=np.float32)

        def write(whole: bool) -> np.ndarray:
            subject = next(numbers)
            if whole:
                write_chunk(array, subject, values)
            else:
                array[subject : subject + 1] = values[np.newaxis]
            return np.frombuffer(content(subject), np.uint8)

        yield "a chunk, written and read", lambda: write(True), lambda: write(False)


@contextmanager
def chunks() -> Iterator[tuple[zarr.Array[Any], Iterator[int], Callable[[int], bytes]]]:
    """Context with an array of a chunk for each subject, subjects, and the bytes of a chunk."""
    with tempfile.TemporaryDirectory() as folder:
        array = zarr.create_array(
            folder,
            shape=(100_000, *CHUNK),
            chunks=(1, *CHUNK),
            dtype="f4",
            chunk_key_encoding={"name": "default", "separator": "."},
        )
        yield array, count(), lambda subject: (Path(folder) / f"c.{subject}.0.0").read_bytes()


def main() -> None:
    """Print a row for each part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--quick", action="store_true", help="one turn")
    options = parser.parse_args()
    turns, times = (1, 1) if options.quick else (options.turns, 20)
    print(f"{'part':40} {'lab':>9} {'library':>9} {'ratio':>6}  same bits")
    for name, ours, theirs in pairs():
        same = np.array_equal(ours(), theirs())
        found = [[processor_seconds(work, times) for work in (ours, theirs)] for _ in range(turns)]
        lab, library = (1e3 * float(np.median(column)) for column in zip(*found, strict=True))
        ratio = float(np.median([one / other for one, other in found]))
        print(f"{name:40} {lab:6.2f} ms {library:6.2f} ms {ratio:6.2f}  {'yes' if same else 'no'}")


if __name__ == "__main__":
    main()
