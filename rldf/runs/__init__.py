"""A run: one search, in which an agent walks the grid of encodings, and its folder."""
