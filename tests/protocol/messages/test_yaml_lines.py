"""Lines of a text that is no YAML."""

from __future__ import annotations

from virtuallab.protocol.messages.yaml_lines import YamlReport, indent, is_entry, quoted, short

LINES = YamlReport("a:\n  b: 1\n  # no\n\n  c: 2\n", "p.yaml")


def test_lines_above_are_those_that_hold_something() -> None:
    assert list(LINES.above(5)) == [2, 1]
    assert LINES.sibling(5) == 2
    assert LINES.sibling(1) == 0


def test_a_fault_carries_the_key_of_its_line() -> None:
    assert str(LINES.fault(2, "wrong.")) == "p.yaml:2: b: wrong."
    assert str(LINES.fault(2, "wrong.", "")) == "p.yaml:2: wrong."
    assert LINES[99] == ""


def test_parts_of_lines() -> None:
    assert indent("  x") == 2
    assert is_entry("  - x")
    assert not is_entry("-x")
    assert quoted("it's ") == "'it''s'"
    assert short("x" * 99) == "x" * 60 + "..."
