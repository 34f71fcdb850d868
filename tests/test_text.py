from __future__ import annotations

from virtuallab.text import brief, listed, part_of, percent, printable, short


def test_a_part_is_named_without_a_denominator_if_it_is_everything():
    assert part_of(1, 3, "control") == "1 of 3 controls"
    assert part_of(3, 3, "control") == "all 3 controls"
    assert part_of(1, 1, "control") == "the control"


def test_terminal_escapes_and_control_characters_are_shown_and_not_obeyed():
    assert printable("a\x1b[31mb\x07\x00\x9b\r") == "a\\x1b[31mb\\x07\\x00\\x9b\\r"


def test_characters_that_reverse_or_hide_text_are_shown():
    assert printable("x\u202ey\u200bz") == "x\\u202ey\\u200bz"


def test_letters_of_any_language_lines_and_tabs_stay():
    assert printable("Größe 大きさ ±\n\tμm") == "Größe 大きさ ±\n\tμm"


def test_half_of_a_surrogate_pair_can_be_encoded_afterwards():
    assert printable("\udcff").encode() == b"\\udcff"


def test_line_ends_of_windows_are_line_ends():
    assert printable("a\r\nb\r") == "a\nb\\r"


def test_a_message_cuts_overlong_words_and_no_path():
    assert brief(f"x {'[' * 200_000}") == f"x {'[' * 60}... (200000 long)"
    path = "/" + "folder/" * 60
    assert brief(f"{path} \x1b") == f"{path} \\x1b"


def test_numbers_and_lists_are_written_for_people():
    assert (percent(0.95), percent(0.975), percent(0.8875, 0)) == ("95 %", "97.5 %", "89 %")
    assert (listed(["a"]), listed(["a", "b", "c"])) == ("a", "a, b and c")
    assert short({"snr": 0.12345, "poisson": None, "units": [1, 2.0]}) == "snr 0.123, units [1, 2]"
    assert short(0.12345, digits=4) == "0.1235"
