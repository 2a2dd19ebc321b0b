"""The context-free grammar: sentences as points of a grid."""
