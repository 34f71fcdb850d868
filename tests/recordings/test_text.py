"""Names of a file as text."""

from __future__ import annotations

import numpy as np

from virtuallab.recordings.text import as_text, first_few, is_missing
from virtuallab.text import count_noun


def test_whole_numbers_of_any_type_have_one_name() -> None:
    assert as_text([1, 1.0, np.float32(1), np.int8(1), b"1", " 1 "]) == ["1"] * 6
    assert as_text([1.5]) == ["1.5"]


def test_missing_names_of_several_libraries_are_recognised() -> None:
    names = as_text([None, float("nan"), np.datetime64("NaT"), "", " ", "<NA>", "none"])
    assert is_missing(names).tolist() == [True] * 6 + [False]


def test_lists_are_cut_and_nouns_agree() -> None:
    assert first_few([1, 2, 3]) == "1, 2, 3"
    assert first_few([1, 2, 3, 4]) == "1, 2, 3 and 1 more"
    assert (count_noun(0, "unit"), count_noun(1, "unit")) == ("0 units", "1 unit")
