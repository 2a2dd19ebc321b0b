"""Files, images, YAML, text and caches: everything that reads or writes."""
