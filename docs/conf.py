"""How the documentation is built: ``make docs``."""

from __future__ import annotations

import sys
from pathlib import Path

import virtuallab

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "virtuallab"
author = "the virtuallab developers"
release = virtuallab.__version__
extensions = [
    "mathml",
    "myst_parser",
    "numpydoc",
    "protocol_reference",
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
    "sphinx_design",
]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3  # pages link to sections of one another
exclude_patterns = ["_build", "performance", "science/results"]  # results are included by pages
html_theme = "pydata_sphinx_theme"
html_title = "virtuallab"
html_theme_options = {"show_prev_next": False, "header_links_before_dropdown": 5}
html_show_sourcelink = False
html_sidebars = {"**": []}
autodoc_typehints = "none"
numpydoc_show_class_members = False
html_math_renderer = "mathml"
