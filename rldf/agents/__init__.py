"""The agents: those of arXiv:2311.15648, better ones, and what they share with the search."""
