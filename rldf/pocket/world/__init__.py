"""The drawn world: pictures with exact ground truth, from a sentence and a seed."""
