"""Model sets: which models a run uses, and where they lie."""
