"""Compares the sentence that a search finds with prompts from other methods."""
