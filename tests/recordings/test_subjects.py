"""All subjects of a file, each as it is read alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from tests.recordings.files import DIMS, plain, responses
from virtuallab.errors import UserError
from virtuallab.recordings import read_recording, read_subjects


def test_each_subject_is_read_as_if_alone(tmp_path: Path) -> None:
    values = np.stack([responses(seed) for seed in range(3)])
    whole = xr.Dataset({"activity": (("subject", *DIMS), values)})
    whole = whole.assign_coords(subject=["a", "b", "c"])
    whole.to_netcdf(tmp_path / "all.nc", engine="h5netcdf")
    whole.to_zarr(tmp_path / "all.zarr", zarr_format=2, consolidated=False)
    for path in (tmp_path / "all.nc", tmp_path / "all.zarr"):
        # The tables are those of NWB files, which may be references of the same recording.
        found = dict(read_subjects(path, visits_from="epochs"))
        assert list(found) == ["a", "b", "c"]
        for name, recording in found.items():
            xr.testing.assert_identical(recording, read_recording(path, name))
        assert [name for name, _ in read_subjects(path, among={"b"})] == ["b"]


def test_a_file_of_one_subject_has_no_name(tmp_path: Path) -> None:
    plain().to_netcdf(tmp_path / "one.nc", engine="h5netcdf")
    [(name, recording)] = read_subjects(tmp_path / "one.nc", among=set())
    assert name is None
    xr.testing.assert_identical(recording, read_recording(tmp_path / "one.nc"))


@pytest.mark.parametrize(
    ("name", "said"),
    [("none.nc", "there is no such file"), ("b.txt", "cannot tell what"), ("c.nc", "netCDF")],
)
def test_what_cannot_be_read_is_refused(name: str, said: str, tmp_path: Path) -> None:
    for file in ("b.txt", "c.nc"):
        (tmp_path / file).write_text("theirs")
    with pytest.raises(UserError, match=said):
        list(read_subjects(tmp_path / name))
