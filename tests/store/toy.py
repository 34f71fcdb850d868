"""A small store for the tests: six subjects of two rules, seen by one probe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from virtuallab.store import Store, create_store

NODE = "recordings/utah/knet4"
STAGE = "probe-utah"
TABLE = "decoding/main"
CHUNK = f"lab.zarr/{NODE}/activity/c.1.0.0.0"


def words(*values: str) -> np.ndarray:
    return np.array(values, dtype=object)


def subjects(count: int = 6) -> xr.Dataset:
    rules = [("backprop", "feedback")[index % 2] for index in range(count)]
    return xr.Dataset(
        {"rule": ("subject", words(*rules)), "learning_rate": ("subject", np.arange(count) / 10)},
        coords={"subject": words(*(f"sub-{index + 1:04d}" for index in range(count)))},
    )


def sample(fill: float = 0.0) -> xr.Dataset:
    """What one subject's recording is like; every value is ``fill`` but for one that is missing."""
    values = np.full((3, 4, 5), fill, dtype=np.float32)
    values[0, 0, 0] = np.nan
    return xr.Dataset(
        {
            "activity": (("visit", "stimulus", "unit"), values),
        },
        coords={
            "unit_index": ("unit", np.arange(5)),
            "visit": np.arange(3),
            "step": ("visit", np.array([0, 10, 20])),
            "unit_layer": ("unit", words("conv1", "conv1", "conv1", "fc2", "fc2")),
        },
    )


def new_store(folder: Path, count: int = 6) -> Store:
    made = create_store(
        folder / "lab.zarr", subjects=subjects(count), provenance={"title": "test"}, plan={"a": [1]}
    )
    declare(made, count)
    return made


def declare(store: Store, count: int = 6) -> None:
    store.declare(NODE, sample(), coords={"rule": subjects(count)["rule"]}, own=["unit_index"])


def write_and_commit(path: str, indices: list[int]) -> None:
    """Do what a worker does; also run in processes of its own."""
    store = Store.open(Path(path))
    for index in indices:
        checksums = {NODE: store.write(NODE, index, sample(float(index)))}
        store.commit(STAGE, index, {"checksums": checksums})


def contents(path: Path) -> dict[str, bytes]:
    return {str(f.relative_to(path)): f.read_bytes() for f in path.rglob("*") if f.is_file()}


def verdict() -> xr.Dataset:
    return xr.Dataset({"accuracy": ("fold", np.linspace(0.5, 1, 5))})


def flip(file: Path, place: int, bit: int) -> None:
    content = bytearray(file.read_bytes())
    content[place % len(content)] ^= 1 << bit
    file.write_bytes(content)
