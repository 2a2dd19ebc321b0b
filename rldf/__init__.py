"""RLDF: an agent walks a grid of sentences until a diffusion model redraws the input image."""

__version__ = "0.1.0"
