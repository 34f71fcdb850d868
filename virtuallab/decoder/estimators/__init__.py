"""Estimators of our own, in scikit-learn's form; a classifier imports its own when it makes one."""
