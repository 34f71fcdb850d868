"""Execute the notebook on the shared files: ``python -m studies.factorial.notebook``, minutes.

Needs the extra "notebook". The notebook reads ``../runs/nayebi2020_shared`` from its folder, which
``python -m studies.factorial.share`` writes.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import nbformat
from nbclient import NotebookClient

NOTEBOOK: Final = Path(__file__).parents[2] / "examples" / "open_the_factorial.ipynb"
LARGEST: Final = 500_000  # bytes with outputs
_LONGEST: Final = 1800  # seconds of one cell


def execute(notebook: Path) -> None:
    """Execute a notebook in its folder, and write it with its outputs.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails; the file stays as it was.
    SystemExit
        If the notebook would be larger than :data:`LARGEST`; the file stays as it was.
    """
    content = nbformat.read(notebook, as_version=4)
    folder = {"metadata": {"path": str(notebook.parent)}}
    # Without times, which would differ each time.
    NotebookClient(content, timeout=_LONGEST, record_timing=False, resources=folder).execute()
    text = nbformat.writes(content) + "\n"
    if (found := len(text.encode())) > LARGEST:
        raise SystemExit(f"{notebook}: {found} bytes with outputs, above {LARGEST}")
    notebook.write_text(text, encoding="utf-8")


def main() -> None:
    """Execute the notebook of the project, or another."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebook", type=Path, nargs="?", default=NOTEBOOK)
    execute(parser.parse_args().notebook.absolute())


if __name__ == "__main__":
    main()
