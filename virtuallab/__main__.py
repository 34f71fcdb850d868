"""``python -m virtuallab`` is the command ``virtuallab``."""

from virtuallab.cli import main

main()
