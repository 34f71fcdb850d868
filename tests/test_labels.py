import numpy as np
import pytest
import xarray as xr

from virtuallab.labels import label_text


@pytest.mark.parametrize("dtype", [object, np.str_, np.dtypes.StringDType()], ids=str)
def test_text_is_the_same_however_it_is_stored(dtype):
    found = label_text(
        xr.DataArray(np.array(["sgdm", "adam", "sgdm"], dtype=dtype), dims="subject")
    )
    np.testing.assert_array_equal(found == "sgdm", [True, False, True])
    np.testing.assert_array_equal(np.unique(found), ["adam", "sgdm"])


def test_no_labels_are_no_words():
    assert label_text(xr.DataArray(np.array([], dtype=object), dims="subject")).shape == (0,)
