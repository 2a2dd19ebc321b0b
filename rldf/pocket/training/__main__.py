"""`python -m rldf.pocket.training [WORK [PART...]]` trains pocket models; run it again to go on."""

import os
import sys
from pathlib import Path

from rldf.pocket.training.parts import EXTRA, PARTS

if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    # Absolute: ultralytics puts relative folders under its own.
    work = Path(sys.argv[1] if len(sys.argv) > 1 else "training").resolve()
    for name in sys.argv[2:] or PARTS:
        (PARTS | EXTRA)[name](work)
