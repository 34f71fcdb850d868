"""Draw the picture of the README from the quickstart's store: ``python docs/picture.py``."""

from __future__ import annotations

from pathlib import Path

import virtuallab as vl
from virtuallab.reporting import summary_figure
from virtuallab.reporting.render import png

target = Path(__file__).parent / "images" / "quickstart.png"
target.write_bytes(png(summary_figure(vl.open("runs/quickstart.zarr"))))
print(f"{target} written")
