"""Messages on errors of YAML's syntax, at the line of the mistake.

The parser names the place where it failed, in terms of its grammar. The mistake itself is often a
line earlier (a missing ``- ``, an open bracket), so the surrounding lines are examined.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from virtuallab.errors import Fault
from virtuallab.protocol.messages.yaml_lines import (
    KEY,
    YamlReport,
    indent,
    is_entry,
    quoted,
    short,
)

_SPACES = {"\u00a0": "no-break space", "\u3000": "ideographic space", "\u200b": "zero-width space"}
_COLONS = ("\uff1a", "\ufe55", "\ua789")
_CONFLICTS = ("<<<<<<<", "=======", ">>>>>>>")


def explain_yaml_error(text: str, file: str, error: YAMLError) -> Fault:
    """Return the fault of a text that is not valid YAML.

    Parameters
    ----------
    text : str
        The whole text.
    file : str
        The file as the user named it.
    error : YAMLError
        Raised by ruamel.yaml for this text.
    """
    report = YamlReport(text, file, error if isinstance(error, MarkedYAMLError) else None)
    if isinstance(error, ReaderError):
        number = len(re.findall(r"\r\n|\r|\n", text[: error.position])) + 1
        code = ord(error.character) if isinstance(error.character, str) else error.character
        words = f"the control character U+{code:04X} cannot stand in YAML. Remove it."
        return report.fault(number, words)
    if not isinstance(error, MarkedYAMLError):
        return Fault(file, 0, "", f"not a YAML text: {str(error).splitlines()[0]}.")
    for part, phrase, check in _CHECKS:
        if phrase in getattr(report, part) and (fault := check(report)):
            return fault
    context = f" {report.context}" if report.context and report.problem else ""
    words = f"not valid YAML: {report.problem or report.context}{context}."
    return report.fault(report.line, words)


def _conflict(report: YamlReport) -> Fault | None:
    for number in {report.start, report.line, report.line - 1}:
        if report[number].startswith(_CONFLICTS):
            words = "this line was left by a merge that was not finished. Choose one version."
            return report.fault(number, words, "")
    return None


def _odd_space(report: YamlReport) -> Fault | None:
    for number in sorted({report.start, report.line - 1, report.line} - {0}):
        for character, name in _SPACES.items():
            if character in report[number].split("#")[0]:
                words = f"there is a {name} (U+{ord(character):04X}). Put an ordinary space there."
                return report.fault(number, words)
    return None


def _tab(report: YamlReport) -> Fault | None:
    if not report[report.line][: report.column - 1].strip():
        words = "the line is indented with a tab. Indent with spaces, not tabs."
    else:
        words = "there is a tab before the value. Put a space there."
    return report.fault(report.line, words)


def _start_of_text(report: YamlReport) -> Fault | None:
    """Explain text without quotes that begins with a special character of YAML."""
    line = report[report.line]
    if line.lstrip().startswith("```"):
        words = "``` belongs to Markdown, not to the protocol. Remove the line."
        return report.fault(report.line, words, "")
    at = report.column - 1
    if "alias" in report.problem:
        name = re.search(r"'(.*)'", report.problem)
        words = (
            f"'*{name[1] if name else ''}' stands for an anchor, and there is none of this name."
        )
        return report.fault(report.line, f"{words} If it is text, put it in quotes.")
    if "block scalar" in report.context:
        at = report.start_column - 1
    elif "mapping keys are not allowed" in report.problem:
        pass
    elif not ("cannot start any token" in report.problem or "node content" in report.problem):
        return None
    character = line[at : at + 1]
    if not character:
        return None
    if character in ",]}":
        return report.fault(report.line, f"{character!r} stands where a value should be.")
    words = f"text cannot begin with {character!r} unless it is in quotes"
    return report.fault(report.line, f"{words}. Write {quoted(line[at:])}.")


def _directive(report: YamlReport) -> Fault | None:
    for number in (report.line, *report.above(report.line)):
        if report[number].startswith("%"):
            words = "a line cannot begin with '%'. Remove it, or put '#' before it."
            return report.fault(number, words, "")
    return None


def _second_document(report: YamlReport) -> Fault | None:
    number = report.line
    if not report[number].startswith("---"):
        number = next((n for n in report.above(number) if report[n].startswith("...")), number)
    words = f"{short(report[number])!r} begins a second document, and a protocol is one. Remove it."
    return report.fault(number, words, "")


def _colon(report: YamlReport) -> Fault | None:
    """Explain ``question: What: is it``, and a line that seems to continue the one above."""
    line = report[report.line]
    before = line[: report.column - 1]
    first = KEY.match(line)
    if first and first.end() <= report.column - 1:
        value = line[first.end() :].split(" #")[0].strip()
        words = f"a colon and a space in text need quotes. Write {first[1]}: {quoted(value)}."
        return report.fault(report.line, words)
    above = next(report.above(report.line), 0)
    if is_entry(line):
        return _without_dash(report, _first_of_text(report, above), report.line)
    if above and indent(report[above]) < indent(before):
        if not KEY.match(report[above]):
            return _without_colon(report, above)
        words = (
            f"the line is indented further than line {above}, which has its value already. Begin "
            "both in the same column."
        )
        return report.fault(report.line, words)
    return None


def _first_of_text(report: YamlReport, number: int) -> int:
    """Return the first of the lines with the same indentation that are no entries of a list."""
    first = number
    for each in report.above(number + 1):
        if indent(report[each]) != indent(report[number]) or is_entry(report[each]):
            break
        first = each
    return first


def _without_dash(report: YamlReport, number: int, entry: int) -> Fault | None:
    """Explain a line without dash among the entries of a list, such as line ``entry``."""
    line = report[number].strip()
    if not line:
        return None
    if line.startswith("-"):
        words = f"a space is missing after the dash. Write '- {short(line[1:])}'."
        return report.fault(number, words, "")
    words = f"each entry of a list begins with '- ', as on line {entry}. Write '- {short(line)}'"
    if KEY.match(line):
        words += ", or indent the line by two more spaces if it belongs to the entry above"
    return report.fault(number, f"{words}.")


def _without_colon(report: YamlReport, number: int) -> Fault | None:
    """Explain a line that is not ``key: value``, as it should be."""
    line = report[number].split(" #")[0].strip()
    if not line:
        return None
    if missing := re.fullmatch(r"(- +)?([\w-]+)\s*(:|=|" + "|".join(_COLONS) + r")\s*(\S.*)", line):
        dash, key, mark, value = missing.groups()
        what = "a space is missing after the colon" if mark == ":" else f"{mark!r} should be ': '"
        words = f"{what}. Write '{dash or ''}{key}: {short(value)}'."
        return report.fault(number, words, key)
    words = f"{short(line)!r} is neither a key nor its value"
    return report.fault(number, f"{words}. Write KEY: VALUE, with a colon and a space.", "")


def _key_alone(report: YamlReport) -> Fault | None:
    number = report.start
    sibling = report.sibling(number)
    if not is_entry(report[number]) and sibling and is_entry(report[sibling]):
        return _without_dash(report, number, sibling)
    return _without_colon(report, number)


def _end_of_block(report: YamlReport) -> Fault | None:
    """Explain a line that belongs to no section above it."""
    line, number = report[report.line], report.line
    if "<scalar>" in report.problem:
        if line[: report.column - 1].count('"') % 2:
            opened = (n for n in report.above(number) if report[n].count('"') % 2)
            if first := next(opened, 0):
                return report.fault(
                    first, 'the quote " that opens here is not closed on this line.'
                )
        words = (
            "text goes on after the closing quote. Put all of it in one pair of quotes; a quote "
            "inside is written twice ('it''s')."
        )
        return report.fault(number, words)
    if "'?'" in report.problem and "collection" in report.context:
        return _without_dash(report, number, report.start)
    if "'-'" in report.problem:
        words = (
            f"a list entry ('- ') stands among the keys of the section of line {report.start}. "
            "Remove the '- ', or indent it below the key that it belongs to."
        )
        return report.fault(number, words)
    if "<block mapping start>" in report.problem or "<block sequence start>" in report.problem:
        above = next(report.above(number), 0)
        words = (
            f"the indentation of {indent(line)} fits no line above (line {above} has "
            f"{indent(report[above])}). Keys of one section begin in the same column."
        )
        return report.fault(number, words)
    return None


def _open_quote(report: YamlReport) -> Fault | None:
    if "escape character" in report.problem:
        words = (
            "a backslash in double quotes begins an escape. Write it twice, or take single quotes."
        )
        return report.fault(report.line, words)
    quote = report[report.start][report.start_column - 1 : report.start_column]
    words = f"the quote {quote} that opens in column {report.start_column} is never closed."
    return report.fault(report.start, words)


def _open_bracket(report: YamlReport) -> Fault | None:
    opened, closing = ("{", "}") if "mapping" in report.context else ("[", "]")
    column = report.start_column
    if report.line != report.start or "stream end" in report.problem:
        words = f"the {opened!r} that opens in column {column} is not closed by {closing!r}."
        return report.fault(report.start, words)
    words = f"a comma or {closing!r} is missing in {short(report[report.line][column - 1 :])}."
    return report.fault(report.line, words)


def _list_beside_key(report: YamlReport) -> Fault | None:
    words = "a list begins on a line of its own below its key. Or write it in brackets: [a, b]."
    return report.fault(report.line, words)


# Phrases of the parser's problem or context, and the explanations that are then tried, in order.
_CHECKS: tuple[tuple[str, str, Callable[[YamlReport], Fault | None]], ...] = (
    ("problem", "", _conflict),
    ("problem", "", _odd_space),
    ("problem", "'\\t'", _tab),
    ("problem", "another document", _second_document),
    ("problem", "<document start>", _directive),
    ("problem", "", _start_of_text),
    ("problem", "mapping values are not allowed", _colon),
    ("problem", "could not find expected ':'", _key_alone),
    ("problem", "<block end>", _end_of_block),
    ("context", "quoted scalar", _open_quote),
    ("context", "flow", _open_bracket),
    ("problem", "sequence entries are not allowed", _list_beside_key),
)
