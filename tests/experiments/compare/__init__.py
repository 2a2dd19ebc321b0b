"""Tests of rldf.experiments.compare, mirroring its modules."""
