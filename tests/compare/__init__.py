"""Tests of rldf.compare, mirroring its modules."""
