"""The first hour of somebody new, in the environment that is declared: ``make first-hour``.

The environment of developers has libraries that a user has not. Here the base environment is built
alone, from nothing, in a folder that is removed afterwards, and in it are run: the commands and the
Python of README.md, docs/start.md and docs/questions, what ``virtuallab init`` writes, unmodified,
and the cases beside the checkout, where there are any. An exit code that is not expected fails, and
so does a traceback in any output.

Blocks of Python and lines that begin with ``virtuallab`` are run in the order of the page, unless a
comment stands before the block:

    <!-- not run: REASON -->     it needs what the base environment, or a minute, does not have
    <!-- run last -->            after the other blocks of its page
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "README.md", ROOT / "docs" / "start.md", *sorted(ROOT.glob("docs/questions/*.md")))
TRACEBACK = "Traceback (most recent call last)"
BLOCK = re.compile(r"((?:<!-- [^\n]* -->\n)?)```(python|bash|text)\n(.*?)```", re.DOTALL)
PLUGIN = re.compile(r"--plugin (\w+\.py)")
LISTED = re.compile(r"^    (virtuallab \S.*)$", re.MULTILINE)  # a line of an indented list

# The pages speak of the quickstart's store; a small one answers to the same names.
SMALL = (
    *("virtuallab", "run", "protocols/quickstart.yaml"),
    *("-s", "subjects.replicates=8", "-s", "subjects.epochs=4"),
)
# Commands that this hour has no file for: they have to say so, in one clear line.
REFUSED = (
    "virtuallab search mine.yaml",
    "virtuallab run runs/mine.tuned.yaml --store runs/mine_tuned.zarr",
    "virtuallab probe runs/my_experiment.zarr --protocol other.yaml",
    "virtuallab compare mine.yaml",
    "virtuallab power mine.yaml --target 0.8",
    "virtuallab identify runs/my_experiment.zarr recording.nc --match",
    "virtuallab score mine.csv --labels labels.csv",
    "virtuallab score predictions.csv --labels labels.csv",
)


@dataclass
class Hour:
    """A folder to work in, and the environment that things are run in."""

    folder: Path
    bin: Path
    failures: list[str]

    def run(
        self,
        name: str,
        command: list[str],
        *,
        codes: tuple[int, ...] = (0,),
        at: Path | None = None,
    ) -> str:
        """Run a command, print one line about it, and note it if it fails."""
        start = time.monotonic()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        environment |= {
            "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}",
            "V": str(self.bin / "virtuallab"),
            "PY": str(self.bin / "python"),
            "MPLBACKEND": "Agg",
            "OMP_NUM_THREADS": "1",
        }
        try:
            done = subprocess.run(
                command, cwd=at or self.folder, env=environment, capture_output=True, timeout=600
            )
            code, output = done.returncode, (done.stdout + done.stderr).decode(errors="replace")
        except subprocess.TimeoutExpired as late:
            code, output = -1, f"stopped after {late.timeout:.0f} s"
        fails = code not in codes or TRACEBACK in output
        print(
            f"{'FAILED' if fails else 'ok':7}{time.monotonic() - start:6.1f} s  {name}", flush=True
        )
        if fails:
            self.failures.append(name)
            print("\n".join(f"        | {line}" for line in output.splitlines()[-25:]), flush=True)
        return output


def build(hour: Hour, python: str) -> None:
    """Build the base environment, as ``make quickstart`` does, but not editable."""
    hour.run("make an environment", [python, "-m", "venv", str(hour.bin.parent)])
    pip = [str(hour.bin / "python"), "-m", "pip", "install", "--quiet"]
    pip += ["--disable-pip-version-check", "-c", str(ROOT / "constraints.txt")]
    hour.run("install torch and torchvision", [*pip, "torch", "torchvision"])
    hour.run("install virtuallab", [*pip, str(ROOT)])
    if hour.failures:
        raise SystemExit("the base environment cannot be built")


def walk(hour: Hour, page: Path, seen: set[str]) -> None:
    """Run what a page shows."""
    text = page.read_text("utf-8")
    name = page.relative_to(ROOT).as_posix()
    python: list[str] = []
    last: list[str] = []
    commands: list[str] = LISTED.findall(BLOCK.sub("", text))
    for mark, language, block in BLOCK.findall(text):
        if mark.startswith("<!-- not run:"):
            print(f"not run          {name}: {mark[13:-5].strip()}")
        elif language == "python":
            (last if "run last" in mark else python).append(block)
        else:
            commands += [line for line in block.splitlines() if line.startswith("virtuallab ")]
    if python:  # the page's first block is the file of its plug-in
        for plugin in set(PLUGIN.findall(text)):
            (hour.folder / plugin).write_text(python[0], "utf-8")
    if python or last:
        script = hour.folder / f"{page.stem}.py"
        script.write_text("\n".join(python + last), "utf-8")
        hour.run(f"{name}: Python", [str(hour.bin / "python"), script.name])
    for line in commands:
        command = re.split(r"\s{2,}|\s+#", line)[0].strip()
        if "--plugin" in command and " list " not in command:
            print(f"not run          {name}: {command} (tests run the plug-ins of the pages)")
        elif command not in seen:
            seen.add(command)
            codes = (0, 2) if command in REFUSED else (0,)
            hour.run(f"{name}: {command}", command.split(), codes=codes)


def cases(hour: Hour, folder: Path) -> None:
    """Run each case that lies beside the checkout, in a copy, and print what came of it."""
    copy = Path(shutil.copytree(folder, hour.folder / "cases"))
    for path in [copy, *copy.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)
    hour.run(
        "cases: their experiment", ["virtuallab", "run", "tiny.yaml", "-w", "1"], at=copy / "base"
    )
    for case in sorted(copy.glob("[0-9]*/run.sh")):
        text = "".join(
            p.read_text("utf-8", "replace") for p in case.parent.glob("*") if p.is_file()
        )
        if "nwb" in text:
            print(f"not run          case {case.parent.name}: needs the extra nwb")
            continue
        output = hour.run(f"case {case.parent.name}", ["bash", str(case)], codes=tuple(range(256)))
        print("\n".join(f"        | {line}" for line in output.splitlines()[-6:]), flush=True)


def main() -> None:
    """Walk through the hour; exit 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--bin", type=Path, help="An environment that is there already: its bin/.")
    given = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="first-hour-") as folder:
        home = Path(folder) / "home"
        home.mkdir()
        hour = Hour(home, given.bin or Path(folder) / "venv" / "bin", [])
        if given.bin is None:
            build(hour, sys.executable)
        shutil.copytree(ROOT / "protocols", home / "protocols")
        hour.run("the quickstart, small", list(SMALL))
        seen: set[str] = set()
        for page in PAGES:
            walk(hour, page, seen)
        beside = ROOT.parent / "shared" / "cases"
        if beside.is_dir():
            cases(hour, beside)
    minutes = (time.monotonic() - start) / 60
    if hour.failures:
        raise SystemExit(f"{len(hour.failures)} failed in {minutes:.1f} min: {hour.failures}")
    print(f"The first hour went well; it took {minutes:.1f} min.")


if __name__ == "__main__":
    main()
