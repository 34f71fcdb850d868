"""What commands say of an experiment that was left between two stages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rich.console import Console

import virtuallab as vl
from virtuallab.lab import status as inspection


class Left(Exception):
    """The run ends here."""


def left_before(stage: str, protocol: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def leave(*_: object, **__: object) -> None:
        raise Left

    store = protocol.parent / "left.zarr"
    with monkeypatch.context() as context:
        context.setattr("virtuallab.lab.run." + stage, leave)
        with pytest.raises(Left):
            vl.run(protocol, store=store, workers=1)
    return store


def status(store: Path) -> str:
    console = Console(width=200)
    with console.capture() as said:
        console.print(inspection.status(store)[0])
    return said.get()


@pytest.mark.slow
def test_a_decoding_that_is_not_done_yet_is_listed(
    protocol: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = left_before("decode_analyses", protocol, monkeypatch)
    assert re.search(r"train +16 +16 ", status(store))
    assert re.search(r"decode main +0 +1 ", status(store))
    vl.run(protocol, store=store, workers=1)
    assert re.search(r"decode main +1 +1 ", status(store))
