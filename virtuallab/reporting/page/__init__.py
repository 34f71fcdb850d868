"""Self-contained HTML pages without scripts."""
