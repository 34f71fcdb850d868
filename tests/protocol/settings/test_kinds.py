"""What types of settings look like in YAML."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from annotated_types import Gt, Len

from tests.protocol.toys import Wheel
from virtuallab.fields import Count, Counts
from virtuallab.protocol.settings.kinds import alternatives, dataclass_in, is_list, shapes, words


@pytest.mark.parametrize(
    ("kind", "shape", "told"),
    [
        (Count, {"whole number"}, "a whole number"),
        (Annotated[float, Gt(0)], {"whole number", "number"}, "a number"),
        (Counts, {"list"}, "a list"),
        (Annotated[tuple[str, ...], Len(1)] | None, {"list", "nothing"}, "a list"),
        (Count | Literal["none"], {"whole number", "text"}, "a whole number or 'none'"),
        (Wheel | None, {"mapping", "nothing"}, "a mapping of keys"),
        (bool, {"true or false"}, "true or false"),
    ],
)
def test_a_type_has_shapes_and_words(kind: object, shape: set[str], told: str) -> None:
    assert shapes(kind) == shape
    assert words(kind) == told


def test_members_of_a_union_lose_their_bounds() -> None:
    assert alternatives(Count | None) == (int, type(None))
    assert is_list(Counts)
    assert not is_list(Count)


def test_a_section_may_be_missing_but_not_one_of_several() -> None:
    assert dataclass_in(Wheel | None) is Wheel
    assert dataclass_in(Wheel | int) is None
