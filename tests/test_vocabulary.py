"""Names, flag values and descriptions of stored variables."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from virtuallab import vocabulary
from virtuallab.vocabulary import (
    _DESCRIPTIONS,
    CHOSEN,
    FLAGS,
    OBSERVABLES,
    STATUS,
    Observable,
    describe,
    describe_flags,
    subject_name,
)


@pytest.mark.parametrize("count", [0, 9, 9_999, 10_000, 123_456])
def test_names_of_subjects_sort_in_the_order_of_their_indices(count: int) -> None:
    indices = sorted({0, 8, 98, 9_998, max(count - 1, 0)} & {*range(max(count, 1))})
    names = [subject_name(index, count) for index in indices]
    assert names == sorted(names)
    assert len({len(name) for name in names}) == 1


def test_the_first_subject_is_number_one_with_four_digits_at_least() -> None:
    assert subject_name(0) == "sub-0001"
    assert subject_name(0, 12_345) == "sub-00001"


def test_a_variable_without_a_unit_has_no_attribute_of_units() -> None:
    assert describe("rule") == {"long_name": "plasticity rule"}
    assert describe("unit_depth")["units"] == "um"


def test_a_variable_without_a_description_is_named_by_its_own_words() -> None:
    assert describe("some_new_setting") == {"long_name": "some new setting"}


def test_every_description_says_what_the_variable_is() -> None:
    assert [name for name, (_, text) in _DESCRIPTIONS.items() if not text.strip()] == []
    assert set(CHOSEN) <= set(_DESCRIPTIONS)


@pytest.mark.parametrize("meanings", [STATUS, FLAGS])
def test_attributes_of_flags_have_one_word_for_each_value(meanings: dict[int, str]) -> None:
    found = describe_flags(meanings)
    values, words = found["flag_values"], str(found["flag_meanings"]).split()
    assert isinstance(values, list)
    assert dict(zip(values, words, strict=True)) == meanings


def test_an_integer_that_was_never_written_means_pending() -> None:
    assert STATUS[int(np.zeros(1, dtype=np.int8)[0])] == "pending"


def test_observables_are_those_of_their_type() -> None:
    assert get_args(Observable) == OBSERVABLES
    names = {vocabulary.WEIGHTS, vocabulary.ACTIVITY, vocabulary.ACTIVITY_CHANGE}
    assert {*OBSERVABLES} == names
