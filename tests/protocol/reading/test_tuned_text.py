"""The tuned protocol: the same words, with values in the place of what was open."""

from __future__ import annotations

from pathlib import Path

import probeinterface

from tests.protocol.texts import SMALL
from virtuallab.protocol import Protocol, read, read_text, search_studies
from virtuallab.protocol.reading.tuned_text import tuned_text
from virtuallab.protocol.settings.distributions import Distribution

QUICKSTART = Path(__file__).parents[3] / "protocols" / "quickstart.yaml"


def middle(protocol: Protocol) -> dict[int, dict[str, float]]:
    """Some value for every open setting, another for each rule."""
    return {
        study.rule: dict.fromkeys(study.space, 0.02 + study.rule / 1000)
        for study in search_studies(protocol)
    }


def test_the_quickstart_keeps_its_comments_and_gets_its_values() -> None:
    made = read(QUICKSTART)
    text = tuned_text(made, middle(made), ["Made by: me"])
    assert text.startswith("# Made by: me\n# yaml-language-server:")
    for line in made.text.splitlines():
        comment = line.partition("# ")[2]
        assert comment in text, comment
    tuned = read_text(text)
    assert search_studies(tuned) == ()
    rates = [
        (entry.optimizer or tuned.subjects.optimizer).settings["learning_rate"]
        for entry in tuned.subjects.rules
    ]
    assert rates == [0.02, 0.021, 0.022, 0.023]
    before, after = made.resolved(), tuned.resolved()
    for rule in (*before["subjects"]["rules"], *after["subjects"]["rules"]):
        del rule["optimizer"]["learning_rate"]
    assert after == before
    words = "# For rules without an optimizer of their own."
    assert text.index("learning_rate: 0.023") < text.index(words)


def test_files_are_found_from_another_folder_too(tmp_path: Path) -> None:
    probe = probeinterface.generate_linear_probe(num_elec=3, ypitch=50)
    probeinterface.write_probeinterface(tmp_path / "mine.json", probe)
    (tmp_path / "mine.npz").write_text("never read")
    task = "{name: images, path: mine.npz, train_images: 32}"
    far = "{name: images, path: /far/mine.npz}"
    inner = "{name: rotation, of: {name: images, path: mine.npz}}"
    text = SMALL.replace("[digits]", f"[{task}, {far}, {inner}]")
    text = text.replace("  replicates:", f"  start_from: {{task: {task}}}\n  replicates:")
    text = text.replace("    units: 20\n", "    device: mine.json\n")
    (tmp_path / "p.yaml").write_text(f"# yaml-language-server: $schema=./schema.json\n{text}")
    made = read(tmp_path / "p.yaml")
    (tmp_path / "runs").mkdir()
    moved = tmp_path / "runs" / "tuned.yaml"
    moved.write_text(tuned_text(made, middle(made), folder=moved.parent))
    assert "$schema=../schema.json" in moved.read_text()
    assert moved.read_text().count("path: ../mine.npz") == 3
    assert "path: /far/mine.npz" in moved.read_text()
    before, after = (each.resolved()["subjects"] for each in (made, read(moved)))
    for key in ("tasks", "start_from"):
        assert after[key] == before[key]
    assert read(moved).resolved()["probes"] == made.resolved()["probes"]
    same = tuned_text(made, middle(made), folder=tmp_path)
    assert same == tuned_text(made, middle(made))
    assert same.count("path: mine.npz") == 3


def test_overrides_are_written_into_it() -> None:
    made = read_text(SMALL, overrides=["subjects.replicates=9", "subjects.optimizer.momentum=0.5"])
    tuned = read_text(tuned_text(made, middle(made)))
    assert tuned.subjects.replicates == 9
    for entry in tuned.subjects.rules:
        optimizer = entry.optimizer or tuned.subjects.optimizer
        assert optimizer is not None
        assert optimizer.settings["momentum"] == 0.5


def test_an_alias_does_not_give_one_rule_the_value_of_another() -> None:
    text = SMALL.replace(
        "    - {name: backprop, label: sgdm}\n    - name: information_alignment\n",
        "    - name: backprop\n"
        "      optimizer: &shared {name: sgd, learning_rate: {log_uniform: [0.01, 0.1]}}\n"
        "    - name: information_alignment\n"
        "      optimizer: *shared\n",
    )
    made = read_text(text)
    tuned = read_text(tuned_text(made, middle(made)))
    rates = [each.optimizer and each.optimizer.settings for each in tuned.subjects.rules]
    assert [each and each["learning_rate"] for each in rates] == [0.02, 0.021]


def test_a_rule_without_values_stays_open() -> None:
    made = read_text(SMALL)
    best = middle(made)
    del best[0]
    tuned = read_text(tuned_text(made, best))
    assert tuned.subjects.optimizer is not None
    assert isinstance(tuned.subjects.optimizer.settings["learning_rate"], Distribution)
    [still] = search_studies(tuned)
    assert still.rule == 0


def test_a_tuned_learning_rate_is_not_held_out() -> None:
    for written, kept in (("learning_rate", ()), ("[batch_size, learning_rate]", ("batch_size",))):
        made = read_text(f"{SMALL}    hold_out: {written}\n")
        assert read_text(tuned_text(made, middle(made))).analyses["main"].held_out == kept
        still_open = read_text(tuned_text(made, {}))
        assert still_open.analyses["main"].held_out == made.analyses["main"].held_out
