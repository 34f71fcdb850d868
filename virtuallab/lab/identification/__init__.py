"""Identification of the rule in a recording that someone brings."""
