"""Spoilt files of all kinds, thrown at every command that reads them."""
