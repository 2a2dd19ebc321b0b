"""Labelled synthetic data sets (clones): this package plans, writes, checks and reads them."""
