"""Model sets: which models a run uses, and where their files are."""

import os

# huggingface_hub reads this when it is imported. Without it, huggingface_hub sends the hub a list
# of installed libraries and the name of the calling program.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
