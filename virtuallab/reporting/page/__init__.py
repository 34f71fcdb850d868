"""HTML pages: self-contained, without scripts."""
