"""Explain YAML syntax errors in plain words, at the line where the slip is.

The parser names the place where it could not go on, in the terms of its grammar. The slip itself is
often a line earlier (a missing ``- ``, an open bracket), so the neighbouring lines are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

_KEY = re.compile(r"\s*(?:- +)*['\"]?([\w-]+)['\"]?\s*:(?:\s|$)")
_SPACES = {"\u00a0": "no-break space", "\u3000": "ideographic space", "\u200b": "zero-width space"}
_COLONS = ("\uff1a", "\ufe55", "\ua789")
_CONFLICTS = ("<<<<<<<", "=======", ">>>>>>>")


@dataclass(frozen=True)
class Slip:
    """What is wrong with a text that is no YAML.

    Parameters
    ----------
    line : int
        Where it is wrong, counted from 1; 0 where that is not known.
    key : str
        Key on that line; empty if there is none.
    message : str
        What is wrong there, and what to write.
    """

    line: int
    key: str
    message: str


def slip_of(text: str, error: YAMLError) -> Slip:
    """Explain why a text is no YAML.

    Parameters
    ----------
    text : str
        The whole text.
    error : YAMLError
        What ruamel.yaml raised while it read the text.
    """
    lines = _Lines(text)
    if isinstance(error, ReaderError):
        number = len(re.findall(r"\r\n|\r|\n", text[: error.position])) + 1
        code = ord(error.character) if isinstance(error.character, str) else error.character
        return lines.slip(
            number, f"the control character U+{code:04X} cannot stand in YAML. Remove it."
        )
    if not isinstance(error, MarkedYAMLError):
        return Slip(0, "", f"not a YAML text: {str(error).splitlines()[0]}.")
    seen = _Seen.of(error)
    for look in _LOOKS:
        if found := look(lines, seen):
            return found
    context = f" {seen.context}" if seen.context and seen.problem else ""
    return lines.slip(seen.line, f"not valid YAML: {seen.problem or seen.context}{context}.")


@dataclass(frozen=True)
class _Seen:
    """What the parser says: its problem and context, each with line and column from 1, or 0."""

    problem: str
    line: int
    column: int
    context: str
    start: int
    start_column: int

    @classmethod
    def of(cls, error: MarkedYAMLError) -> _Seen:
        at, start = error.problem_mark or error.context_mark, error.context_mark
        return cls(
            str(error.problem or "").strip(),
            at.line + 1 if at else 0,
            at.column + 1 if at else 0,
            str(error.context or "").strip(),
            start.line + 1 if start else 0,
            start.column + 1 if start else 0,
        )


class _Lines:
    """The lines of a text, counted from 1."""

    def __init__(self, text: str) -> None:
        self._lines = re.split(r"\r\n|\r|\n", text)

    def __getitem__(self, number: int) -> str:
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""

    def slip(self, number: int, message: str) -> Slip:
        key = _KEY.match(self[number])
        return Slip(number, key[1] if key else "", message)

    def above(self, number: int) -> Iterator[int]:
        """Numbers of the lines before one that hold more than a comment, the nearest first."""
        for each in range(number - 1, 0, -1):
            if self[each].strip() and not self[each].lstrip().startswith("#"):
                yield each

    def sibling(self, number: int) -> int:
        """Nearest line above with the same indentation and nothing less indented between, or 0."""
        for each in self.above(number):
            if _indent(self[each]) <= _indent(self[number]):
                return each if _indent(self[each]) == _indent(self[number]) else 0
        return 0


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _is_entry(line: str) -> bool:
    return re.match(r"\s*-(\s|$)", line) is not None


def _quoted(text: str) -> str:
    text = text.strip()
    return "'" + text.replace("'", "''") + "'"


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= 60 else f"{text[:60]}..."


def _conflict(lines: _Lines, seen: _Seen) -> Slip | None:
    for number in {seen.start, seen.line, seen.line - 1}:
        if lines[number].startswith(_CONFLICTS):
            words = "this line was left by a merge that was not finished. Choose one version."
            return Slip(number, "", words)
    return None


def _odd_space(lines: _Lines, seen: _Seen) -> Slip | None:
    for number in sorted({seen.start, seen.line - 1, seen.line} - {0}):
        for character, name in _SPACES.items():
            if character in lines[number].split("#")[0]:
                words = f"there is a {name} (U+{ord(character):04X}). Put an ordinary space there."
                return lines.slip(number, words)
    return None


def _tab(lines: _Lines, seen: _Seen) -> Slip | None:
    if "'\\t'" not in seen.problem:
        return None
    if not lines[seen.line][: seen.column - 1].strip():
        words = "the line is indented with a tab. Indent with spaces, not tabs."
    else:
        words = "there is a tab before the value. Put a space there."
    return lines.slip(seen.line, words)


def _start_of_text(lines: _Lines, seen: _Seen) -> Slip | None:
    """Text without quotes that begins with a character of YAML's own."""
    line = lines[seen.line]
    if line.lstrip().startswith("```"):
        return Slip(seen.line, "", "``` belongs to Markdown, not to the protocol. Remove the line.")
    at = seen.column - 1
    if "alias" in seen.problem:
        name = re.search(r"'(.*)'", seen.problem)
        words = (
            f"'*{name[1] if name else ''}' stands for an anchor, and there is none of this name."
        )
        return lines.slip(seen.line, f"{words} If it is text, put it in quotes.")
    if "block scalar" in seen.context:
        at = seen.start_column - 1
    elif "mapping keys are not allowed" in seen.problem:
        pass
    elif not ("cannot start any token" in seen.problem or "node content" in seen.problem):
        return None
    character = line[at : at + 1]
    if not character:
        return None
    if character in ",]}":
        return lines.slip(seen.line, f"{character!r} stands where a value should be.")
    words = f"text cannot begin with {character!r} unless it is in quotes"
    return lines.slip(seen.line, f"{words}. Write {_quoted(_short(line[at:]))}.")


def _directive(lines: _Lines, seen: _Seen) -> Slip | None:
    if "<document start>" not in seen.problem:
        return None
    for number in (seen.line, *lines.above(seen.line)):
        if lines[number].startswith("%"):
            return Slip(
                number, "", "a line cannot begin with '%'. Remove it, or put '#' before it."
            )
    return None


def _second_document(lines: _Lines, seen: _Seen) -> Slip | None:
    if "another document" not in seen.problem:
        return None
    number = seen.line
    if not lines[number].startswith("---"):
        number = next((n for n in lines.above(number) if lines[n].startswith("...")), number)
    words = f"{_short(lines[number])!r} begins a second document, and a protocol is one. Remove it."
    return Slip(number, "", words)


def _colon(lines: _Lines, seen: _Seen) -> Slip | None:
    """``question: What: is it``, and a line that seems to go on with the one above."""
    if "mapping values are not allowed" not in seen.problem:
        return None
    line = lines[seen.line]
    before = line[: seen.column - 1]
    first = _KEY.match(line)
    if first and first.end() <= seen.column - 1:
        value = line[first.end() :].split(" #")[0].strip()
        words = (
            f"a colon and a space in text need quotes. Write {first[1]}: {_quoted(_short(value))}."
        )
        return lines.slip(seen.line, words)
    above = next(lines.above(seen.line), 0)
    if _is_entry(line):
        return _without_dash(lines, _first_of_text(lines, above), seen.line)
    if above and _indent(lines[above]) < _indent(before):
        if not _KEY.match(lines[above]):
            return _without_colon(lines, above)
        words = (
            f"the line is indented further than line {above}, which has its value already. Begin "
            "both in the same column."
        )
        return lines.slip(seen.line, words)
    return None


def _first_of_text(lines: _Lines, number: int) -> int:
    """First of the lines with the same indentation that are no entries of a list."""
    first = number
    for each in lines.above(number + 1):
        if _indent(lines[each]) != _indent(lines[number]) or _is_entry(lines[each]):
            break
        first = each
    return first


def _without_dash(lines: _Lines, number: int, entry: int) -> Slip | None:
    """Explain a line among the entries of a list, beside line ``entry``, that is none."""
    line = lines[number].strip()
    if not line:
        return None
    if line.startswith("-"):
        words = f"a space is missing after the dash. Write '- {_short(line[1:])}'."
        return Slip(number, "", words)
    words = f"each entry of a list begins with '- ', as on line {entry}. Write '- {_short(line)}'"
    if _KEY.match(line):
        words += ", or indent the line by two more spaces if it belongs to the entry above"
    return lines.slip(number, f"{words}.")


def _without_colon(lines: _Lines, number: int) -> Slip | None:
    """Explain a line that should be ``key: value`` and is not."""
    line = lines[number].split(" #")[0].strip()
    if not line:
        return None
    if missing := re.fullmatch(r"(- +)?([\w-]+)\s*(:|=|" + "|".join(_COLONS) + r")\s*(\S.*)", line):
        dash, key, mark, value = missing.groups()
        what = "a space is missing after the colon" if mark == ":" else f"{mark!r} should be ': '"
        return Slip(number, key, f"{what}. Write '{dash or ''}{key}: {_short(value)}'.")
    words = f"{_short(line)!r} is neither a key nor its value"
    return Slip(number, "", f"{words}. Write KEY: VALUE, with a colon and a space.")


def _key_alone(lines: _Lines, seen: _Seen) -> Slip | None:
    if "could not find expected ':'" not in seen.problem:
        return None
    number = seen.start
    sibling = lines.sibling(number)
    if not _is_entry(lines[number]) and sibling and _is_entry(lines[sibling]):
        return _without_dash(lines, number, sibling)
    return _without_colon(lines, number)


def _end_of_block(lines: _Lines, seen: _Seen) -> Slip | None:
    """A line that belongs to no section above it."""
    if "<block end>" not in seen.problem:
        return None
    line, number = lines[seen.line], seen.line
    if "<scalar>" in seen.problem:
        if line[: seen.column - 1].count('"') % 2:
            opened = (n for n in lines.above(number) if lines[n].count('"') % 2)
            if first := next(opened, 0):
                return lines.slip(first, 'the quote " that opens here is not closed on this line.')
        words = (
            "text goes on after the closing quote. Put all of it in one pair of quotes; a quote "
            "inside is written twice ('it''s')."
        )
        return lines.slip(number, words)
    if "'?'" in seen.problem and "collection" in seen.context:
        return _without_dash(lines, number, seen.start)
    if "'-'" in seen.problem:
        words = (
            f"a list entry ('- ') stands among the keys of the section of line {seen.start}. "
            "Remove the '- ', or indent it below the key that it belongs to."
        )
        return lines.slip(number, words)
    if "<block mapping start>" in seen.problem or "<block sequence start>" in seen.problem:
        above = next(lines.above(number), 0)
        words = (
            f"the indentation of {_indent(line)} fits no line above (line {above} has "
            f"{_indent(lines[above])}). Keys of one section begin in the same column."
        )
        return lines.slip(number, words)
    return None


def _open_quote(lines: _Lines, seen: _Seen) -> Slip | None:
    if "quoted scalar" not in seen.context:
        return None
    if "escape character" in seen.problem:
        words = (
            "a backslash in double quotes begins an escape. Write it twice, or take single quotes."
        )
        return lines.slip(seen.line, words)
    quote = lines[seen.start][seen.start_column - 1 : seen.start_column]
    words = f"the quote {quote} that opens in column {seen.start_column} is never closed."
    return lines.slip(seen.start, words)


def _open_bracket(lines: _Lines, seen: _Seen) -> Slip | None:
    if "flow" not in seen.context:
        return None
    opened, closing = ("{", "}") if "mapping" in seen.context else ("[", "]")
    if seen.line != seen.start or "stream end" in seen.problem:
        words = (
            f"the {opened!r} that opens in column {seen.start_column} is not closed by {closing!r}."
        )
        return lines.slip(seen.start, words)
    words = (
        f"a comma or {closing!r} is missing in {_short(lines[seen.line][seen.start_column - 1 :])}"
    )
    return lines.slip(seen.line, f"{words}.")


def _list_beside_key(lines: _Lines, seen: _Seen) -> Slip | None:
    if "sequence entries are not allowed" not in seen.problem:
        return None
    words = "a list begins on a line of its own below its key. Or write it in brackets: [a, b]."
    return lines.slip(seen.line, words)


_LOOKS: tuple[Callable[[_Lines, _Seen], Slip | None], ...] = (
    _conflict,
    _odd_space,
    _tab,
    _second_document,
    _directive,
    _start_of_text,
    _colon,
    _key_alone,
    _end_of_block,
    _open_quote,
    _open_bracket,
    _list_beside_key,
)
