"""The study of 1,056 subjects: ``python -m studies.factorial``."""
