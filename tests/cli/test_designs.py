"""Commands on recording designs: their options reach the functions of Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.calls import called_with, invoke, options_of

OPTIONS = [
    "--set",
    "a=1",
    "--subjects",
    "a.zarr",
    "--store",
    "b.zarr",
    "--workers",
    "2",
    "--device",
    "cuda",
    "--scheduler",
    "local",
]
PASSED = {
    "subjects": Path("a.zarr"),
    "store": Path("b.zarr"),
    "workers": 2,
    "device": "cuda",
    "scheduler": "local",
    "verbose": True,
}
DEFAULTS = {
    "subjects": None,
    "store": None,
    "workers": None,
    "device": "cpu",
    "scheduler": None,
    "verbose": True,
}


def test_options_of_compare_are_passed() -> None:
    assert options_of("compare") <= {*OPTIONS}
    called_with(["compare", "p.yaml", *OPTIONS], Path("p.yaml"), ["a=1"], **PASSED)
    called_with(["compare", "p.yaml"], Path("p.yaml"), (), **DEFAULTS)


def test_options_of_power_are_passed() -> None:
    words = ["power", "p.yaml", "--target", "0.8", *OPTIONS]
    assert options_of("power") <= {*words}
    called_with(words, Path("p.yaml"), ["a=1"], target=0.8, **PASSED)
    called_with(["power", "p.yaml"], Path("p.yaml"), (), target=None, **DEFAULTS)


@pytest.mark.parametrize("command", ["compare", "power"])
def test_a_protocol_is_required(command: str) -> None:
    done = invoke(command)
    assert done.exit_code == 2
    assert "missing argument 'protocol'" in done.stderr.lower()
