"""A search: its configuration, environment, loop, run folder and result."""
