"""Numbers of a decoder become plain data and come back as they were."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.store.decoders.toy import trained
from virtuallab.store.decoders.numbers import decoder_of, estimators_of, numbers_of


@pytest.mark.parametrize("with_nulls", [True, False])
def test_numbers_come_back_through_json(with_nulls: bool) -> None:
    before = trained("logistic_regression", with_nulls=with_nulls)
    numbers = json.loads(json.dumps(numbers_of(before)))
    after = decoder_of(numbers, estimators_of(before))
    assert numbers_of(after) == numbers_of(before)
    assert (after.no_learning is None) == (not with_nulls)
    np.testing.assert_array_equal(after.own_p_value, before.own_p_value)


def test_rules_that_the_estimator_does_not_name_are_refused() -> None:
    before = trained("logistic_regression", with_nulls=False)
    numbers = {**numbers_of(before), "rules": ["adam", "sgdm", "other"]}
    parts = {"estimator": before.estimator}
    with pytest.raises(ValueError, match="it names adam, sgdm, other, its estimator"):
        decoder_of(numbers, parts)
