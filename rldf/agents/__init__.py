"""The agents: those of arXiv:2311.15648, further ones, and the protocol that all of them follow."""
