"""Tests of rldf, mirroring its modules."""
