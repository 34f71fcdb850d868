"""YAML 1.2 read into plain data."""

from __future__ import annotations

from virtuallab.protocol.reading.yaml import parse


def test_yaml_is_read_as_version_1_2() -> None:
    data, _ = parse("[1e-3, no, on, 2020-01-01, 0o17, 1_0, ~, .5, '8', 010]", "p.yaml")
    assert data == [0.001, "no", "on", "2020-01-01", 15, 10, None, 0.5, "8", 10]


def test_a_key_is_the_word_that_is_written() -> None:
    assert parse("{null: 1, yes: 2, 3: 4}", "p.yaml")[0] == {"null": 1, "yes": 2, "3": 4}


def test_an_alias_repeats_what_it_stands_for() -> None:
    data, lines = parse("a: &x {b: 1}\nc: *x\n", "p.yaml")
    assert data == {"a": {"b": 1}, "c": {"b": 1}}
    assert data["a"] is not data["c"]
    assert lines["c",] == 2


def test_a_character_that_json_wrote_in_two_halves_is_one_again() -> None:
    assert parse('"\\ud83d\\ude00"', "p.json")[0] == "\N{GRINNING FACE}"
