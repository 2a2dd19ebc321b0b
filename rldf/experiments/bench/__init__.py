"""Benches: many searches under one budget, compared."""
