"""Tests of rldf.report."""
