"""Adapters that draw images from sentences."""
