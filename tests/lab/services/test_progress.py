from __future__ import annotations

from io import StringIO

from joblib import Parallel, delayed
from rich.console import Console

from virtuallab.lab.services import progress
from virtuallab.lab.services.progress import counting, tallying


def lines(monkeypatch, seconds):
    monkeypatch.setattr(progress.time, "monotonic", iter(seconds).__next__)
    page = StringIO()
    with counting(Console(file=page, width=80), "[a] tried \x1b", 3, done=1) as count:
        count(0)
        count.note("4 of 8 subjects recorded")
        count(1)
        count(1)
    return page.getvalue().splitlines()


def test_a_pipe_has_a_line_at_both_ends_and_now_and_then_between(monkeypatch):
    assert lines(monkeypatch, [100, 101, 105, 109, 109]) == [
        "[a] tried \\x1b: 1 of 3",
        "[a] tried \\x1b: 3 of 3",
    ]
    assert lines(monkeypatch, [100, 101, 111, 122, 122])[1:-1] == [
        "[a] tried \\x1b: 1 of 3 (4 of 8 subjects recorded)",
        "[a] tried \\x1b: 2 of 3",
    ]


def test_a_terminal_has_a_bar_whose_name_is_plain_text():
    page = StringIO()
    console = Console(file=page, width=80, force_terminal=True, color_system=None)
    with counting(console, "[a] tried \x1b", 30) as count:
        count.note("4 of [b] 8")
        count(30)
    assert "[a] tried \\x1b" in page.getvalue()
    assert "30/30" in page.getvalue()


def test_steps_are_counted_in_whatever_process_they_are_done():
    told = []
    with tallying(told.append) as step:
        Parallel(n_jobs=2)(delayed(step)() for _ in range(7))
        step()
    assert sum(told) == 8
