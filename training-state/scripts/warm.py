"""Make the initial weights of the second world's Denoiser from the first world's."""
import sys, torch, numpy as np
from pathlib import Path
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer
from rldf.pocket.training.diffusion import Denoiser, build_tokenizer
from rldf.pocket.training.drawings import load_shards
torch.set_num_threads(2)
OLD=Path("/work/main/rldf/pocket/weights/sd"); W=Path("/work/train")
tok=build_tokenizer(W/"out/tokenizer")
torch.manual_seed(0)
m=Denoiser(tok)
ot=CLIPTokenizer.from_pretrained(OLD/"tokenizer")
ou=UNet2DConditionModel.from_pretrained(OLD/"unet",torch_dtype=torch.float32).state_dict()
ox=CLIPTextModel.from_pretrained(OLD/"text_encoder",torch_dtype=torch.float32).state_dict()
# text
new=m.text_encoder.state_dict(); ov,nv=ot.get_vocab(),tok.get_vocab(); n=0
for k in new:
    if k not in ox: print("no",k); continue
    if "token_embedding" in k:
        for w,i in nv.items():
            if w in ov: new[k][i]=ox[k][ov[w]]; n+=1
    elif "position_embedding" in k:
        L=min(len(ox[k]),len(new[k])); new[k][:L]=ox[k][:L]; print("positions",ox[k].shape,new[k].shape)
    elif new[k].shape==ox[k].shape: new[k].copy_(ox[k])
    else: print("skip",k,new[k].shape,ox[k].shape)
print("tokens taken",n,"of",len(nv))
m.text_encoder.load_state_dict(new)
# latents map
vo=AutoencoderKL.from_pretrained(OLD/"vae",torch_dtype=torch.float32).eval().to(memory_format=torch.channels_last)
lat=sorted((W/"latents").glob("*/pocket-0000.pt"))[0]
N=torch.load(lat)[:600].float()
pics,_=next(load_shards(W/"drawings","pocket",1000,0))
with torch.inference_mode():
    O=torch.cat([vo.encode(torch.from_numpy(np.array(pics[i:i+4])).permute(0,3,1,2).float()/127.5-1).latent_dist.mean for i in range(0,600,4)])*vo.config.scaling_factor
f=lambda x:x.permute(0,2,3,1).reshape(-1,x.shape[1])
def fit(X,Y):
    X1=torch.cat([X,torch.ones(len(X),1)],1); S=torch.linalg.lstsq(X1,Y).solution
    r=1-((X1@S-Y)**2).mean(0)/Y.var(0); print("R2",r.mean().item(),r.min().item()); return S[:-1].T.contiguous(),S[-1]
A,a=fit(f(N),f(O)); B,b=fit(f(O),f(N))
un=m.unet.state_dict()
for k in un:
    if k in ou and un[k].shape==ou[k].shape: un[k].copy_(ou[k])
    elif k=="conv_in.weight": un[k].copy_(torch.einsum("ochw,ci->oihw",ou[k],A))
    elif k=="conv_out.weight": un[k].copy_(torch.einsum("oc,cihw->oihw",B,ou[k]))
    elif k=="conv_out.bias": un[k].copy_(B@ou[k])
    elif "proj_out.weight" in k: un[k].zero_(); print("zero",k)
    elif "proj_out.bias" in k: un[k].zero_()
    else: print("new",k) if "block" not in k else None
m.unet.load_state_dict(un)
torch.save(m.state_dict(),W/"warm.pt"); print("ok")
