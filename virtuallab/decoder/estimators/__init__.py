"""Estimators in scikit-learn's form that classifiers import when they make one."""
