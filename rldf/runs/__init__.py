"""Runs: a run is one search (an agent walks the grid of encodings) with the folder it writes."""
