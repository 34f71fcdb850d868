"""The section that says which designs are compared."""

from __future__ import annotations

import pytest

from tests.protocol.texts import with_designs as protocol
from virtuallab.errors import ProtocolError

FAULTS = {
    "open where all are tried": (
        ("units: [10, 20]", "units: {uniform: [10, 20]}"),
        "compare.designs.array.units: is open, and a comparison needs fixed values.",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_is_told_at_its_place(case):
    change, words = FAULTS[case]
    with pytest.raises(ProtocolError) as caught:
        protocol(change)
    assert words in str(caught.value)
    assert "p.yaml:" in str(caught.value)


def test_all_designs_together_have_a_bound():
    many = ("units: [10, 20]", f"units: {list(range(1, 3334))}")  # each with three ratios
    with pytest.raises(ProtocolError, match=r"compare\.designs: these are 10,010 designs together"):
        protocol(many)
