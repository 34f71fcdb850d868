from __future__ import annotations

from tests.reporting.designs import ASKED, answer
from virtuallab.reporting.page.designs import comparison_page, power_page
from virtuallab.reporting.results.comparison import ranking


def test_the_page_is_whole_and_says_the_same(comparison):
    page = comparison_page(comparison)
    assert "mine &lt;b&gt;" in page
    assert "<script" not in page
    assert page.count("<svg role") == page.count("aria-label") - page.count("<table")
    for row in ranking(comparison)[:5]:
        assert f"{row.value:.2f}" in page


def test_the_page_of_an_answer_is_whole():
    page = power_page(answer(), ASKED)
    assert "Use 30 recorded units" in page
    assert page.count("<svg role") == 2
    assert "2 implantations of each design" in page
