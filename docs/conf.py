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
    "myst_parser",
    "numpydoc",
    "protocol_reference",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
    "sphinx_design",
]
myst_enable_extensions = ["colon_fence", "dollarmath"]
exclude_patterns = ["_build"]
html_theme = "pydata_sphinx_theme"
html_title = "virtuallab"
html_theme_options = {"show_prev_next": False, "navbar_end": ["theme-switcher"]}
html_show_sourcelink = False
html_sidebars = {"index": []}
autodoc_typehints = "none"
numpydoc_show_class_members = False
# Equations stay as TeX in the page and are drawn where a reader's browser can fetch MathJax.
