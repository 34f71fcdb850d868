"""Places, and the lines where they stand."""

from __future__ import annotations

from tests.protocol.texts import SMALL, protocol
from virtuallab.protocol import read_text
from virtuallab.protocol.messages.places import path_of, place_of, value_at


def test_a_place_is_found_in_the_file() -> None:
    read_from = protocol()
    assert read_from.fault("probes.sparse.units", "").line == 21
    assert read_from.fault("subjects.rules[1].amp", "").line == 11
    assert read_from.fault("subjects.rules[1].decay", "").line == 10
    assert read_from.fault("probes.sparse.visits", "").line == 20
    assert read_from.fault("", "").line == 1


def test_a_fault_found_later_names_its_line_or_its_override() -> None:
    made = read_text(SMALL, name="p.yaml", overrides=("probes.sparse.visits=9",))
    assert str(made.fault("probes.sparse.units", "too many.")) == (
        "p.yaml:21: probes.sparse.units: too many."
    )
    assert str(made.fault("probes.sparse.visits", "too many.")) == (
        "-s probes.sparse.visits=9: probes.sparse.visits: too many."
    )


def test_a_path_and_its_place_stand_for_each_other() -> None:
    place = ("subjects", "rules", 0, "amp")
    assert place_of(path_of(place)) == place
    assert place_of("a..b") is None


def test_a_value_is_found_at_its_place() -> None:
    assert value_at({"a": [1, {"b": 2}]}, ("a", 1, "b")) == 2
    assert value_at({"a": [1]}, ("a", 4)) is None


def test_an_entry_that_is_written_without_a_list_has_no_index() -> None:
    one = SMALL.replace("  replicates:", "  curriculum: {name: blocked}\n  replicates:")
    several = SMALL.replace("  replicates:", "  curriculum: [shuffled, blocked]\n  replicates:")
    key, entry = "subjects.curriculum", "subjects.curriculum[0]"
    assert read_text(one).fault(entry, "").path == key
    assert read_text(one).fault(f"{entry}.class_order", "").path == f"{key}.class_order"
    assert read_text(several).fault(entry, "").path == entry
    assert read_text(SMALL).fault("subjects.rules[1].amp", "").path == "subjects.rules[1].amp"
    # An override decides, where there is one.
    for text, override, path in (
        (several, f"{key}=blocked", key),
        (one, f"{key}=[blocked]", entry),
    ):
        assert read_text(text, overrides=(override,)).fault(entry, "").path == path
