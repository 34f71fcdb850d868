"""Every task, with small files for those that read files."""

from tests.subject.tasks.examples import example, task_files

__all__ = ["example", "task_files"]
