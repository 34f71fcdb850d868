"""Scores on the terminal."""

from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console

from virtuallab.decoder.scoring import score_probabilities
from virtuallab.reporting.tables.scores import score_summary


def shown(width: int, kinds: np.ndarray | None) -> str:
    probability = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.6, 0.4]])
    labels = np.array(["adam", "sgdm", "sgdm", "adam"])
    console = Console(file=io.StringIO(), width=width, markup=False)
    console.print(
        score_summary(score_probabilities(probability, labels, ["adam", "sgdm"], kinds=kinds))
    )
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


@pytest.mark.parametrize("width", [20, 60, 200])
def test_every_score_is_shown_at_any_width(width: int) -> None:
    text = shown(width, np.array(["[red]a", "[red]a", "b", "b"]))
    for said in ("0.750", "0.500", "Brier", "log loss", "calibration", "adam", "sgdm", "[red]a"):
        assert said in text


def test_without_kinds_there_is_no_worst_kind() -> None:
    assert "Worst kind: b" in shown(200, np.array(["a", "a", "b", "b"]))
    assert "orst kind" not in shown(200, None)
