from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

import virtuallab
from virtuallab.console import plain, say, terminal_console, terminal_table

ODD = "[/b] [a]x[/a] :smile: \x1b[31mred"
SHOWN = "[/b] [a]x[/a] :smile: \\x1b[31mred"
LONG = "direct_random_target_projection"


def printed(what: object, width: int = 80, **options: object) -> str:
    page = StringIO()
    console = Console(file=page, width=width, no_color=True, emoji=False, **options)
    console.print(what)
    return page.getvalue()


def controls():
    table = terminal_table("main: controls", "of activity")
    table.add_column("control", no_wrap=True)
    table.add_column("accuracy", no_wrap=True)
    table.add_column("outcome")
    table.add_row("permuted labels", "0.50 [0.40, 0.60]", "passed")
    table.add_row("performance", "0.90 [0.80, 0.95]", plain("FAILED", "red"))
    table.add_row("performance matched", "-", "not evaluated: 6 subjects remain, of 15 needed")
    return table


def test_text_from_outside_is_printed_as_it_stands_in_every_part_of_a_table():
    table = terminal_table(f"title {ODD}", f"caption {ODD}")
    table.add_column(f"header {ODD}")
    table.add_row(f"cell {ODD}")
    for text in (printed(table), printed(table, width=20)):
        shown = re.sub(r"[\n ]+", " ", text)
        assert "\x1b" not in shown
        for part in ("title", "caption", "header", "cell"):
            assert f"{part} {SHOWN}" in shown or (part == "header" and len(text) < 200)


def test_text_from_outside_is_printed_as_it_stands_in_a_line():
    page = StringIO()
    say(Console(file=page, width=80), ODD)
    assert page.getvalue() == f"{SHOWN}\n"


@pytest.mark.parametrize("width", [20, 30, 40, 50, 60, 70, 80, 120])
def test_a_table_fits_and_its_words_stay_whole_at_any_width(width):
    text = printed(controls(), width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    for word in ("permuted labels", "performance matched", "passed", "FAILED", "needed"):
        assert word in text


def test_where_columns_do_not_fit_each_row_names_its_cells_below_one_another():
    lines = [line.rstrip() for line in printed(controls(), 40).splitlines()]
    assert lines[:7] == [
        "main: controls",
        "permuted labels",
        "  accuracy  0.50 [0.40, 0.60]",
        "  outcome   passed",
        "performance",
        "  accuracy  0.90 [0.80, 0.95]",
        "  outcome   FAILED",
    ]


def test_a_row_that_goes_on_with_the_cell_above_repeats_it_where_rows_are_blocks():
    table = terminal_table()
    table.add_column("probe")
    table.add_column("observable", no_wrap=True)
    table.add_row("array", "activity" * 4)
    table.add_row("", "weights" * 4)
    heads = [line for line in printed(table, 30).splitlines() if line[:1].strip()]
    assert [head.strip() for head in heads] == ["array", "array"]


@pytest.mark.parametrize("width", [30, 40, 80, None])
def test_a_name_to_be_copied_is_whole(width):
    table = terminal_table()
    table.add_column("name", no_wrap=True)
    table.add_column("what it is")
    table.add_row(LONG, "Projects random targets to every layer, and what follows in many words.")
    text = printed(table, width or 10_000)
    assert LONG in text or width == 30
    assert "…" not in text


def test_a_pipe_has_no_right_margin_and_reads_no_markup(monkeypatch, capsys):
    monkeypatch.delenv("COLUMNS", raising=False)
    console = terminal_console()
    console.print(f"[a]{'word ' * 100}end")
    assert capsys.readouterr().out == f"[a]{'word ' * 100}end\n"


def test_the_width_that_someone_sets_holds_in_a_pipe_as_well(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    assert terminal_console().width == 40


def test_nothing_else_in_the_package_makes_what_could_read_markup():
    root = Path(virtuallab.__file__).parent
    makes = re.compile(r"from rich\.(text|table|markup) |\bfrom_markup\(|[^d]Console\((?!quiet)")
    found = [
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if path.name not in ("console.py", "__init__.py")
        and makes.search(path.read_text(encoding="utf-8"))
    ]
    assert not found
