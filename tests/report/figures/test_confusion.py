import numpy as np
import xarray as xr

from virtuallab.report.figures import confusion


def counts(values):
    rules = np.array(["a", "b"], dtype=object)
    coords = {"true_rule": rules, "predicted_rule": rules}
    return xr.DataArray(np.array(values, dtype=float), dims=tuple(coords), coords=coords)


def test_each_row_adds_up_to_one_whichever_way_the_array_lies():
    wanted = [[0.75, 0.25], [0.5, 0.5]]
    table = counts([[3, 1], [2, 2]])
    np.testing.assert_allclose(confusion.row_shares(table), wanted)
    np.testing.assert_allclose(confusion.row_shares(table.T), wanted)


def test_a_rule_of_nobody_stays_blank():
    table = counts([[3, 1], [0, 0]])
    assert np.isnan(confusion.row_shares(table)[1]).all()
    texts = [text.get_text() for text in confusion.draw(table).axes[0].texts]
    assert texts == ["0.75", "0.25"]


def test_the_darkest_cell_is_the_largest_share():
    axes = confusion.draw(counts([[3, 1], [4, 0]])).axes[0]
    assert [patch.get_alpha() for patch in axes.patches] == [0.75, 0.25, 1.0, 0.0]
