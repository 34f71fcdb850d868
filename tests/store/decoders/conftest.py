from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.store.decoders.toy import METADATA, trained
from virtuallab.store.decoders.persistence import save_decoder


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kept") / "toy.decoder"
    save_decoder(trained("kernel_svm"), METADATA, folder)
    return folder


@pytest.fixture
def folder(kept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept, tmp_path / "toy.decoder"))
