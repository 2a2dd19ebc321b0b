"""Image generators: they make images from sentences and seeds."""
