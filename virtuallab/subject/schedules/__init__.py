"""Schedules of learning rates, one file each, registered under the name that protocols use."""
