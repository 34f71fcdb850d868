"""Dropout of a population."""

from __future__ import annotations

import pytest
import torch

from virtuallab.errors import UserError
from virtuallab.subject.network.layers.dropout import PopulationDropout


def test_units_of_tokens_are_dropped_in_a_population_of_one_alone() -> None:
    tokens = torch.ones(2, 4, 6)
    dropped = PopulationDropout(0.5, [1])(tokens)
    assert set(dropped.flatten().tolist()) == {0.0, 2.0}
    with pytest.raises(UserError, match="three axes"):
        PopulationDropout(0.5, [1, 2])(tokens)
