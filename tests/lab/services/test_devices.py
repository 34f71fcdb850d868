"""Names of devices."""

from __future__ import annotations

import pytest

from virtuallab.errors import UserError
from virtuallab.lab.services.devices import DEVICES, device_name


@pytest.mark.parametrize("name", DEVICES)
def test_a_device_is_taken_as_it_is(name: str) -> None:
    assert device_name(name) == name


@pytest.mark.parametrize(
    ("name", "near"),
    [("gpu", "cuda"), ("GPU", "cuda"), ("cuda:0", "cuda"), ("CPU", "cpu"), ("cud", "cuda")],
)
def test_another_name_is_refused_with_the_one_that_is_meant(name: str, near: str) -> None:
    words = rf"no device is called '{name}'\. Did you mean '{near}'\? Known: auto, cpu, cuda\."
    with pytest.raises(UserError, match=words):
        device_name(name)
