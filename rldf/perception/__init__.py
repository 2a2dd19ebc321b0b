"""Readers of images: models that find what an image shows, and the encoder that combines them."""
