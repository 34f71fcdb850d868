"""What the documentation shows is what happens."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from textwrap import indent
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.protocol.texts import SMALL, complaints, small
from tests.subject.training.test_trainer import subject, visits_of
from virtuallab.registry import (
    ARCHITECTURES,
    CURRICULA,
    LOSSES,
    OPTIMIZERS,
    RULES,
    SCHEDULES,
    TASKS,
    Registry,
)

DOCS = Path(__file__).parent.parent / "docs"


def test_the_rule_of_the_documentation_works_as_it_is_printed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    list(RULES)  # the shipped rules are known before the registry is copied
    monkeypatch.setattr(RULES, "_classes", dict(RULES._classes))
    text = (DOCS / "questions" / "write_a_rule.md").read_text("utf-8")
    code, _ = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert len(code.splitlines()) < 30
    module = ModuleType("my_lab_rules")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(code, "write_a_rule.md", "exec"), module.__dict__)
    frozen = subject("feedback_alignment")
    following = replace(
        frozen,
        rule=RULES["leaky_mirror"](rate=1.0),
        optimizer=OPTIMIZERS["sgd"](learning_rate=0.05, momentum=0.0),
    )
    before, _, after = (
        visit.evaluation["weight_angle"][0] for visit in visits_of([following], 100)
    )
    assert (after < 0.3 * before).all(), "its backward weights turn toward the forward ones"
    assert np.isfinite(visits_of([frozen], 20)[-1].evaluation["weight_angle"]).all()


@pytest.mark.parametrize(
    ("page", "registry"),
    [
        ("write_an_architecture", ARCHITECTURES),
        ("write_a_task", TASKS),
        ("write_a_loss", LOSSES),
        ("write_an_optimizer", OPTIMIZERS),
        ("write_a_curriculum", CURRICULA),
        ("write_a_schedule", SCHEDULES),
    ],
)
def test_a_plugin_of_the_documentation_passes_its_check_and_can_be_named_in_a_protocol(
    page: str, registry: Registry[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = set(registry)
    monkeypatch.setattr(registry, "_classes", dict(registry._classes))
    text = (DOCS / "questions" / f"{page}.md").read_text("utf-8")
    plugin, check = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    (entry,) = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    module = ModuleType(page)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(plugin, f"{page}.md", "exec"), module.__dict__)
    (name,) = set(registry) - known
    assert name in check
    assert name in entry
    exec(compile(check, f"{page}.md", "exec"), module.__dict__)
    key, value = entry.strip().split(": ", 1)
    assert complaints(small(), f"subjects.{key}={value}") == []


def test_the_protocol_of_twins_can_be_read() -> None:
    text = (DOCS / "questions" / "bring_a_recording.md").read_text("utf-8")
    [block] = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    assert complaints(block) == []


BLOCKS = re.findall(
    r"```yaml\n(.*?)```",
    (DOCS / "questions" / "write_a_protocol.md").read_text("utf-8"),
    flags=re.DOTALL,
)


def test_the_page_on_protocols_shows_what_to_write() -> None:
    assert len(BLOCKS) >= 5


@pytest.mark.parametrize("block", BLOCKS)
def test_what_the_page_on_protocols_shows_can_be_read(block: str) -> None:
    keys = [line.partition(":")[0] for line in block.splitlines() if line[:1].isalpha()]
    keys += ["replicates"] if "seeds" in keys else []
    kept, last = [], ""
    for line in SMALL.splitlines():
        last = line.split(":")[0].strip() if re.match(r"  \w", line) else last
        if not (line.startswith("  ") and last in keys):
            kept.append(line)
    start = kept.index("subjects:") + 1
    text = "\n".join([*kept[:start], indent(block, "  "), *kept[start:]])
    assert complaints(text) == []
