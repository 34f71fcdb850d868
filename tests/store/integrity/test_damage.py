"""Damaged files in the message of one error."""

from __future__ import annotations

from pathlib import Path

import pytest

from virtuallab.errors import MachineError
from virtuallab.store.integrity.damage import Damage, raise_if_damaged


def test_a_missing_file_differs_from_a_damaged_one(tmp_path: Path) -> None:
    file = tmp_path / "c.0"
    assert str(Damage.of(file, "REPAIR", "sub-0001")) == (
        f"{file} (sub-0001) is missing. To make it anew: REPAIR"
    )
    file.touch()
    assert "is damaged: it is not what was written" in str(Damage.of(file, "REPAIR"))


def test_one_error_names_all_damage_up_to_a_number(tmp_path: Path) -> None:
    raise_if_damaged([], tmp_path)
    damage = [Damage(tmp_path / f"f{number}", "is missing", "REPAIR") for number in range(33)]
    with pytest.raises(MachineError) as raised:
        raise_if_damaged(damage, tmp_path / "a b.zarr")
    lines = str(raised.value).splitlines()
    assert len(lines) == 31
    assert lines[-1].startswith("and 3 more; named by: virtuallab status '")
