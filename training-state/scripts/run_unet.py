"""Train the UNet: run_unet.py NAME THREADS STOP_AT [warm]"""
import sys, os, torch, dataclasses
from pathlib import Path
name,threads,stop=sys.argv[1],int(sys.argv[2]),int(sys.argv[3])
torch.set_num_threads(threads)
from rldf.pocket.training import diffusion as d, loop
W=Path("/work/train")
if "warm" in sys.argv:
    old=d.Denoiser
    def make(tok):
        m=old(tok); m.load_state_dict(torch.load(W/"warm.pt")); return m
    d.Denoiser=make
recipe=dataclasses.replace(d.RECIPE)
real=d.train
def train(model,loss,recipe,ck):
    n=0; torch.set_num_threads(threads)
    class Stop(Exception): pass
    def loss2(step,source):
        if step>=stop: raise SystemExit(0)
        return loss(step,source)
    return real(model,loss2,recipe,W/f"unet-{name}.pt")
d.train=train
real_report=d.report
d.report=lambda p,r,n: real_report(W/f"unet-{name}.pt",r,n)
d.main(W,W/"out",recipe)
