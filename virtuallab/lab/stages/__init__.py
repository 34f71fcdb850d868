"""The stages of an experiment, each of which reads the store and adds to it."""
