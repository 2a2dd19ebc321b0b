"""Tests of rldf.agents, mirroring its modules."""
