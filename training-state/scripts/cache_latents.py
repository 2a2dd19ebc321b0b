import sys, torch
torch.set_num_threads(1)
from pathlib import Path
import numpy as np
from diffusers import AutoencoderKL
from rldf.io.files import sha256_file
from rldf.pocket.training.drawings import load_shards
from rldf.pocket.training.diffusion import encode_latents
W=Path("/work/train"); vf=W/"out/vae"
vae=AutoencoderKL.from_pretrained(vf, dtype=torch.float32).eval()
folder=W/"latents"/sha256_file(vf/"diffusion_pytorch_model.safetensors")[:12]
folder.mkdir(parents=True,exist_ok=True)
for spec in sys.argv[1:]:
    name,a,b=spec.split(":")
    for s in range(int(a),int(b)):
        c=folder/f"{name}-{s:04d}.pt"
        if c.exists(): continue
        pics,recs=next(load_shards(W/"drawings",name,1000,s))
        both=np.concatenate([pics,pics[:,:,::-1]])
        torch.save(encode_latents(vae,both),c.with_suffix(".part%d"%__import__("os").getpid())); c.with_suffix(".part%d"%__import__("os").getpid()).replace(c)
        print(c.name,flush=True)
