from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.protocol.texts import SMALL, complaints, protocol, small
from virtuallab.errors import ProtocolError
from virtuallab.protocol import read, read_text
from virtuallab.protocol.reading.read import as_protocol


def complaint(path: Path) -> str:
    with pytest.raises(ProtocolError) as caught:
        read(path)
    return str(caught.value).replace(f"{path.parent}{os.sep}", "")


def test_a_protocol_keeps_its_text_with_comments(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("# mine\n" + SMALL, encoding="utf-8")
    assert read(file).text == "# mine\n" + SMALL


def test_a_byte_order_mark_and_dos_lines_do_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + SMALL.replace("\n", "\r\n").encode())
    assert read(file).resolved() == protocol().resolved()


def test_a_missing_file_is_told_with_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "quickstart.yaml").write_text("", encoding="utf-8")
    assert complaint(tmp_path / "quickstrt.yaml") == (
        "quickstrt.yaml: there is no such file. Did you mean 'quickstart.yaml'?"
    )


def test_of_many_neighbours_a_few_are_named(tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / f"experiment{number:02d}.yaml").touch()
    said = complaint(tmp_path / "experiment.yaml")
    assert said.count(".yaml'") == 3
    assert complaint(tmp_path / "other.yaml") == "other.yaml: there is no such file."
    (tmp_path / "protocols").mkdir()
    (tmp_path / "protocols" / "other.yaml").touch()
    assert complaint(tmp_path / "other.yaml") == (
        f"other.yaml: there is no such file. Did you mean 'protocols{os.sep}other.yaml'?"
    )


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    file = tmp_path / "no" / "p.yaml"
    assert complaint(file) == (
        f"p.yaml: there is no such file. There is no folder {file.parent} either."
    )


def test_a_folder_is_no_protocol(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert complaint(tmp_path / "folder") == "folder: is a folder. Name the protocol in it."
    (tmp_path / "folder" / "a.yaml").touch()
    assert complaint(tmp_path / "folder").endswith("Name the protocol in it. There are a.yaml.")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are named pipes on Unix only")
def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p.yaml")
    assert complaint(tmp_path / "p.yaml") == (
        "p.yaml: is a named pipe, not a file. Save the protocol in a file."
    )


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0", "p.yaml: is not a text but a binary file."),
        ("name: small".encode("utf-16"),
         "p.yaml: is a text in UTF-16. Save the file as UTF-8."),
        (b"name: small\nquestion: caf\xe9\n",
         "p.yaml:2: byte 0xe9 is not UTF-8. Save the file as UTF-8."),
        (b"a: " + b"x" * 1_000_000, "p.yaml: is larger than 1 MB; no protocol is."),
        (b"", "p.yaml: the file is empty. `virtuallab init` writes a protocol to start from."),
        (b"# nothing yet\n",
         "p.yaml: the file is empty. `virtuallab init` writes a protocol to start from."),
        (b"- a\n- b\n", "p.yaml:1: should be a mapping of keys, found ['a', 'b']."),
        (b"hello\n", "p.yaml:1: should be a mapping of keys, found 'hello' (text)."),
        (b"a: \x01\n",
         "p.yaml:1: a: the control character U+0001 cannot stand in YAML. Remove it."),
        (b"[" * 1000, "p.yaml: nested too deeply."),
        (b"a: !!python/object:os.system {}\n", "p.yaml:1: a: the tag "
         "tag:yaml.org,2002:python/object:os.system means nothing here. Remove it."),
        (b"a: !secret x\n", "p.yaml:1: a: the tag !secret means nothing here. Remove it."),
        (b"a: &x [*x]\n", "p.yaml:1: a[0]: this alias stands for something it is part of."),
        (b"? [a, b]\n: 1\n", "p.yaml:1: a key must be a word."),
        (b"a: !!int x\n", "p.yaml:1: a: 'x' cannot be read as int."),
        (b"a: " + b"1" * 5000, "p.yaml:1: a: a whole number of 5,000 digits is too large."),
        (b'a: "\\ud800"\n', "p.yaml:1: a: half of a character. Write it out."),
    ],
)  # fmt: skip
def test_what_is_no_protocol_is_told_without_a_traceback(
    tmp_path: Path, raw: bytes, message: str
) -> None:
    file = tmp_path / "p.yaml"
    file.write_bytes(raw)
    assert complaint(file) == message


def test_an_alias_bomb_is_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    file = tmp_path / "p.yaml"
    file.write_text("\n".join(lines), encoding="utf-8")
    assert complaint(file) == "p.yaml: more than 20,000 values, aliases expanded."


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(SMALL, encoding="utf-8")
    file.chmod(0)
    assert complaint(file) == "p.yaml: cannot be read: Permission denied."


def test_a_protocol_does_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        protocol().seed = 5  # type: ignore[misc]


def test_a_probe_without_settings_is_written_as_an_empty_mapping() -> None:
    text = small(("    units: 20\n", ""), ("  sparse:", "  sparse: {}"))
    assert complaints(text) == []
    assert read_text(text).probes["sparse"].resolved.units == "all"


@pytest.mark.parametrize("device", ["connectomics", "paired_recordings"])
def test_all_synapses_are_asked_for_by_their_word(device: str) -> None:
    written, left_open = (
        protocol(("    units: 20", f"    device: {device}{more}")).probes["sparse"].resolved
        for more in ("\n    synapses: all", "")
    )
    assert (written.synapses, written.synapses_per_layer) == ("all", None)
    assert (left_open.synapses, left_open.synapses_per_layer) in {(1000, None), ("all", 12)}


def test_importing_protocols_does_not_import_torch() -> None:
    code = "import sys, virtuallab.protocol; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def settings_with(question: object = "Which?", **subjects: object) -> dict[str, Any]:
    found = protocol().resolved()
    return {**found, "question": question, "subjects": {**found["subjects"], **subjects}}


def test_ranges_tuples_and_numbers_of_numpy_are_settings() -> None:
    steps = range(0, 3, 2), (0, 2), np.array([0, 2])
    read_as = [as_protocol(settings_with(visits=each)).subjects.visits for each in steps]
    assert [list(each) for each in read_as] == [[0, 2]] * 3  # type: ignore[arg-type]
    assert as_protocol(settings_with(replicates=np.int64(3))).subjects.replicates == 3


@pytest.mark.parametrize("value", [{"a"}, iter("ab"), object()])
def test_a_value_that_no_file_can_hold_is_refused_with_its_key(value: object) -> None:
    with pytest.raises(ProtocolError) as caught:
        as_protocol(settings_with(value, batch_size=value))
    faults = {fault.path: fault.message for fault in caught.value.faults}
    assert list(faults) == ["question", "subjects.batch_size"]
    assert faults["question"].startswith("should be a number, a text, a list or a mapping, found")


def test_one_override_may_be_given_without_a_list(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(SMALL, encoding="utf-8")
    for given in (settings_with(), protocol(), file):
        assert as_protocol(given, "subjects.replicates=7").subjects.replicates == 7
    assert read(file, "subjects.replicates=7").overrides == ("subjects.replicates=7",)
