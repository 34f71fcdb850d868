"""Slips of YAML's grammar, each explained at the line where it is."""

from __future__ import annotations

import pytest

from tests.protocol.texts import complaints

TEXT = """\
schema_version: 1
name: x
question: Q
seed: 3
subjects:
  architectures: [mlp]
  tasks: [digits]
  rules:
    - backprop
    - {name: oja}
  steps: 3
probes:
  a: {units: 3}
"""
CLOSED = (
    "text goes on after the closing quote. Put all of it in one pair of quotes; a quote inside is "
    "written twice ('it''s')."
)
ENTRY = "each entry of a list begins with '- ', as on line"
BELONGS = ", or indent the line by two more spaces if it belongs to the entry above."
FITS = "Keys of one section begin in the same column."


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("question: Q", "question: What: is it",
         "3: question: a colon and a space in text need quotes. Write question: 'What: is it'."),
        ("question: Q", "question: It's: so",
         "3: question: a colon and a space in text need quotes. Write question: 'It''s: so'."),
        # lists
        ("    - {name: oja}", "    {name: oja}", f"10: {ENTRY} 9. Write '- {{name: oja}}'."),
        ("    - {name: oja}", "    oja", f"10: {ENTRY} 9. Write '- oja'."),
        ("    - {name: oja}", "    oja: 3", f"10: oja: {ENTRY} 9. Write '- oja: 3'{BELONGS}"),
        ("    - backprop", "    backprop", f"9: {ENTRY} 10. Write '- backprop'."),
        ("    - backprop", "    - name: backprop\n    label: x",
         f"10: label: {ENTRY} 9. Write '- label: x'{BELONGS}"),
        ("    - backprop", "    -backprop",
         "9: a space is missing after the dash. Write '- backprop'."),
        ("    - backprop\n    - {name: oja}", "    -backprop\n    -oja",
         "9: subjects.rules: a space is missing after the dash. Write '- backprop'."),
        ("  steps: 3", "  - steps: 3", "11: steps: a list entry ('- ') stands among the keys of "
         "the section of line 6. Remove the '- ', or indent it below the key that it belongs to."),
        ("question: Q", "question: - Q", "3: question: a list begins on a line of its own below "
         "its key. Or write it in brackets: [a, b]."),
        # spaces
        ("  architectures", "\tarchitectures",
         "6: architectures: the line is indented with a tab. Indent with spaces, not tabs."),
        ("seed: 3", "seed:\t3",
         "4: seed: there is a tab before the value. Put a space there."),
        ("seed: 3", "seed:\u00a03",
         "4: seed: there is a no-break space (U+00A0). Put an ordinary space there."),
        ("seed: 3", "seed:3", "4: seed: a space is missing after the colon. Write 'seed: 3'."),
        ("{units: 3}", "{units:3}",
         "13: probes.a.units: a space is missing after the colon. Write 'units: 3'."),
        ("seed: 3", "seed = 3", "4: seed: '=' should be ': '. Write 'seed: 3'."),
        ("seed: 3", "seed\uff1a3", "4: seed: '\uff1a' should be ': '. Write 'seed: 3'."),
        ("seed: 3", "seed", "4: 'seed' is neither a key nor its value. Write KEY: VALUE, with a "
         "colon and a space."),
        ("seed: 3", "  seed: 3", "4: seed: the line is indented further than line 3, which has "
         "its value already. Begin both in the same column."),
        ("  tasks", " tasks",
         f"7: tasks: the indentation of 1 fits no line above (line 6 has 2). {FITS}"),
        # quotes and brackets
        ("question: Q", 'question: "Q', '3: question: the quote " that opens in column 11 is '
         "never closed."),
        ("question: Q\n", 'question: "Q\nlabel: "x"\n',
         '3: question: the quote " that opens here is not closed on this line.'),
        ("question: Q", "question: 'It's'", f"3: question: {CLOSED}"),
        ("question: Q", 'question: "What" is', f"3: question: {CLOSED}"),
        ("question: Q", 'question: "C:\\data"', "3: question: a backslash in double quotes begins "
         "an escape. Write it twice, or take single quotes."),
        ("[mlp]", "[mlp", "6: architectures: the '[' that opens in column 18 is not closed by "
         "']'."),
        ("{units: 3}", "{units: 3", "13: a: the '{' that opens in column 6 is not closed by '}'."),
        ("{name: oja}", "{name: oja amp: 3}",
         "10: a comma or '}' is missing in {name: oja amp: 3}."),
        # characters of YAML's own
        *(("question: Q", f"question: {text}", f"3: question: text cannot begin with {text[0]!r} "
           f"unless it is in quotes. Write '{text}'.")
          for text in ("%Q", "@Q", "`Q`", "> Q", "| Q", "? Q")),
        ("question: Q", "question: *Q", "3: question: '*Q' stands for an anchor, and there is "
         "none of this name. If it is text, put it in quotes."),
        ("question: Q", "question: &Q", "3: question: text cannot begin with '&' unless it is in "
         "quotes."),
        ("question: Q", "question: , Q", "3: question: ',' stands where a value should be."),
        ("name: x", "%name: x",
         "2: a line cannot begin with '%'. Remove it, or put '#' before it."),
        # documents
        ("probes:", "---\nprobes:", "12: '---' begins a second document, and a protocol is one. "
         "Remove it."),
        ("probes:", "...\nprobes:", "12: '...' begins a second document, and a protocol is one. "
         "Remove it."),
        ("schema_version", "```yaml\nschema_version",
         "1: ``` belongs to Markdown, not to the protocol. Remove the line."),
        ("seed: 3", "<<<<<<< HEAD\nseed: 3",
         "4: this line was left by a merge that was not finished. Choose one version."),
        # what reads as YAML, but as nothing that is meant
        ("{units: 3}", "{snr: 0,05}",
         "13: probes.a.snr: '0,05' is no number. Write 0.05, with a point."),
        ("{units: 3}", "{visits: 1, 2}", "13: probes.a.2: 2 is no key. A list of numbers is "
         "written in brackets: [1, 2]."),
        ("{units: 3}", "{<<: {}}", "13: probes.a.<<: YAML 1.2 does not merge mappings with '<<'. "
         "Write the settings out."),
    ],
)  # fmt: skip
def test_a_slip_is_explained_at_its_line(old: str, new: str, said: str) -> None:
    assert TEXT.count(old) == 1
    assert complaints(TEXT.replace(old, new)) == [f"p.yaml:{said}"]
