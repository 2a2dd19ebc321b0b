"""Applications of a search result: more images, control of one axis, concept ablation."""
