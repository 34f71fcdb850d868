"""Some small protocols run to their end; ``make test-generated`` runs a thousand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.generated.protocols import generated, text_of
from tests.generated.walk import Ways, walk

HALFWAY = 21  # it is stopped halfway, and every command runs there
MORE = range(200, 220)


@pytest.mark.parametrize("seed", [pytest.param(HALFWAY, marks=pytest.mark.slow), 37])
def test_what_is_valid_runs_to_the_end_and_every_command_answers(seed: int, tmp_path: Path) -> None:
    found = walk(seed, tmp_path, Ways(halfway=seed == HALFWAY))
    assert found.outcome == "ran", f"{found.outcome} at {found.step}: {found.words}"


@pytest.mark.slow
@pytest.mark.parametrize("seed", MORE)
def test_more_of_what_is_valid_runs_to_the_end(seed: int, tmp_path: Path) -> None:
    found = walk(seed, tmp_path)
    assert found.outcome != "failed", f"failed at {found.step}: {found.words}"


def test_equal_seeds_give_equal_protocols_and_others_differ() -> None:
    assert text_of(generated(1)) == text_of(generated(1))
    assert text_of(generated(1)) != text_of(generated(2))
