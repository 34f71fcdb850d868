from __future__ import annotations

import json
import platform
import subprocess
from pathlib import Path

import pytest

from virtuallab.store.provenance import provenance


def collect(source: Path | None = None) -> dict[str, str]:
    return provenance(
        text="# why\nname: x", resolved='{"name": "x"}', title="x", summary="Why?", seed=7,
        source=source,
    )  # fmt: skip


def test_it_says_what_ran_and_on_what() -> None:
    found = collect()
    assert found["protocol_yaml"] == "# why\nname: x"
    assert found["seed"] == "7"
    assert json.loads(found["versions"])["torch"].startswith("2.")
    assert found["python"] == platform.python_version()
    assert platform.machine() in found["platform"]
    assert found["summary"] == "Simulated data. Why?"


def test_it_does_not_say_where_or_who() -> None:
    everything = json.dumps(collect(Path(__file__)))
    for secret in (str(Path.home()), str(Path.cwd()), platform.node()):
        assert secret not in everything


def test_the_protocols_commit_is_kept_and_whether_it_was_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    protocol = tmp_path / "x.yaml"
    protocol.write_text("name: x", encoding="utf-8")
    assert collect(protocol)["protocol_git"] == ""
    for variable in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.delenv(variable, raising=False)

    def git(*words: str) -> str:
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *words]
        return subprocess.run(
            command, cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout

    git("init", "-q")
    git("add", "x.yaml")
    git("commit", "-q", "-m", "first", "--no-verify")
    commit = git("rev-parse", "HEAD").strip()
    (tmp_path / "untracked.txt").write_text("a run's output", encoding="utf-8")
    assert collect(protocol)["protocol_git"] == commit
    protocol.write_text("name: y", encoding="utf-8")
    assert collect(protocol)["protocol_git"] == f"{commit} with uncommitted changes"
