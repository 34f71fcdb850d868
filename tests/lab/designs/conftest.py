from __future__ import annotations

from pathlib import Path

import pytest

from tests.journeys.conftest import PROTOCOL
from tests.lab.designs.small import DESIGNS, compared
from virtuallab.lab.designs import decode_designs


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("designs")
    (made / "small.yaml").write_text(PROTOCOL + DESIGNS)
    compared(made)
    return made


@pytest.fixture
def untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail whoever decodes anything."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("this was tried before")

    monkeypatch.setattr(decode_designs, "_decode", refuse)
