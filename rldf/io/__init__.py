"""Reading and writing of files, images, YAML, text and caches; all packages use it."""
