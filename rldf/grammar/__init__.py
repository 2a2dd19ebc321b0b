"""Grammars: context-free grammars whose sentences are the points of a grid."""
