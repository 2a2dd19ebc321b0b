"""Experiments: many searches, baselines, and uses of a found sentence."""
