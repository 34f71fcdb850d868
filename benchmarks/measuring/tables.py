"""Tables in Markdown, which benchmarks write for the documentation."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

RESULTS = Path(__file__).parent.parent.parent / "docs" / "performance"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def parser(description: str | None) -> argparse.ArgumentParser:
    """Command line with the options that all benchmarks have."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument(
        "--quick", action="store_true", help="smallest sizes; prints tables and writes none"
    )
    return made


def show(name: str, lines: Sequence[str], *, quick: bool, folder: Path = RESULTS) -> None:
    """Print a part of the documentation, and write it unless the run was a quick one.

    Parameters
    ----------
    name : str
        Of the file, without its ending.
    lines : sequence of str
    quick : bool
        Whether sizes were too small for the documentation.
    folder : Path
    """
    text = "\n".join(lines) + "\n"
    print(text, flush=True)
    if not quick:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
