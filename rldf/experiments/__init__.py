"""Runs many searches (bench), compares a search with baselines, and uses found sentences."""
