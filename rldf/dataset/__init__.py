"""Labelled synthetic data sets: planned as a whole, then drawn, written, checked and read."""
