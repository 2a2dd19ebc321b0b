"""Runs benches: many searches with the same budget, compared in a table."""
