import torch; torch.set_num_threads(1)
from pathlib import Path
from rldf.pocket.training import detector
W=Path("/work/train"); (W/"out/detector").mkdir(exist_ok=True)
detector.main(W, W/"out/detector")
