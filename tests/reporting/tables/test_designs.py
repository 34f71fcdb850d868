from __future__ import annotations

import io

import pytest
from rich.console import Console

from tests.reporting.designs import ASKED, answer
from virtuallab.reporting.page.designs import power_page
from virtuallab.reporting.results.power import sentences
from virtuallab.reporting.tables.designs import power_summary, ranking_table


def test_the_ranking_fits_a_terminal(comparison):
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(ranking_table(comparison))
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 80
    assert "14 more are in the files" in text
    assert "visit 0 alone 0.2" in text


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"possible": True}, "may be reached, but no design is predicted to reach it in 90 %"),
        ({"possible": False}, "is not expected within these bounds, but cannot be excluded"),
        (
            {"possible": False, "expected_dearest": (0.3, 0.35, 0.4)},
            "cannot be reached within these bounds",
        ),
    ],
)
def test_a_target_that_is_not_reached_is_reported(changed, words):
    comparison = answer(chosen=None, confirmed=None, **changed)
    assert words in sentences(comparison)[0]
    page = power_page(comparison, ASKED)
    assert "not_identified" in page
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(power_summary(comparison, ASKED))
    assert words[:20] in console.export_text()
