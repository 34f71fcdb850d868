from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from tests.store.toy import NODE, new_store, sample
from virtuallab.store.layout.zarr_metadata import is_consolidated, unconsolidate


def test_consolidated_metadata_hides_nothing_that_was_added_or_replaced(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    store.finish()
    store.declare("features/utah", sample())
    store.write_table("decoding/main", xr.Dataset({"old": ("a", np.arange(3.0))}))
    store.write_table("decoding/main", xr.Dataset({"new": ("a", np.arange(4.0))}))
    assert is_consolidated(store.path)
    tree = xr.open_datatree(store.path, engine="zarr", consolidated=True)
    assert {f"/{NODE}", "/features/utah", "/decoding/main"} <= set(tree.groups)
    assert tree["decoding/main"].to_dataset()["new"].values.tolist() == [0, 1, 2, 3]


def test_consolidating_what_was_spread_gives_the_same_file(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    store.finish()
    consolidated = (store.path / "zarr.json").read_bytes()
    unconsolidate(store.path)
    assert not is_consolidated(store.path)
    store.finish()
    assert (store.path / "zarr.json").read_bytes() == consolidated
