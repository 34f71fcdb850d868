from __future__ import annotations

from tests.recordings.files import plain, refusal


def test_coordinates_along_the_wrong_dim_are_refused(tmp_path):
    message = refusal(plain().assign_coords(layer=("stimulus", list("abcd"))), tmp_path)
    assert "layer lies along (stimulus), expected (unit)" in message
    message = refusal(plain().assign_coords(step=("stimulus", range(4))), tmp_path)
    assert "step lies along (stimulus), expected (visit)" in message
