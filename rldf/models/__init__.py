"""Model sets: which models a run uses, and where they lie."""

import os

# Read when huggingface_hub is imported: else it tells the hub what is installed here and what runs
# it, and asks for a list of such programs.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
