"""Trains the pocket text encoder and UNet together, and saves a Stable Diffusion pipeline.

Latents of the drawings and of their mirror images are encoded once. v-prediction; the loss
counts four times inside the boxes of things; one sentence in ten is empty, for guidance.
"""

import copy
from pathlib import Path

import numpy as np
import torch
from diffusers import (
    AutoencoderKL,
    DPMSolverMultistepScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from rldf.io.files import sha256_file
from rldf.pocket.training.autoencoder import LATENTS
from rldf.pocket.training.drawings import Record, load_shards
from rldf.pocket.training.loop import Recipe, device, precision, report, train, write_report
from rldf.pocket.training.tokenizer import TOKENS, build_tokenizer

RECIPE = Recipe(steps=11_000, batch=64, rate=1.5e-3, cooldown=0.4, muon=True)
DRAWINGS = {"pocket": 60_000, "base": 8_000}
_SIDE = 16  # latents
_EMPTY = 0.1
_BOX_WEIGHT = 4.0


class Denoiser(nn.Module):
    """The two parts that are trained together."""

    def __init__(self, tokenizer: CLIPTokenizer) -> None:
        """Make untrained parts, from torch's random source.

        Args:
            tokenizer: whose vocabulary the text encoder reads.
        """
        super().__init__()
        self.text_encoder = CLIPTextModel(
            CLIPTextConfig(
                vocab_size=len(tokenizer),
                hidden_size=128,
                intermediate_size=512,
                num_hidden_layers=2,
                num_attention_heads=4,
                max_position_embeddings=TOKENS,
                projection_dim=128,
                bos_token_id=tokenizer.bos_token_id,
                eos_token_id=tokenizer.eos_token_id,
                pad_token_id=tokenizer.pad_token_id,
            )
        )
        self.unet = UNet2DConditionModel(
            sample_size=_SIDE,
            in_channels=LATENTS,
            out_channels=LATENTS,
            block_out_channels=(48, 96, 192),
            # words are heard at 16 x 16 too: things are 3 to 9 latents wide
            down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
            layers_per_block=1,
            attention_head_dim=(3, 3, 6),
            norm_num_groups=16,
            cross_attention_dim=128,
        )

    def forward(self, noisy: Tensor, times: Tensor, tokens: Tensor) -> Tensor:
        """Predict v of noisy latents.

        Args:
            noisy: latents (n, 16, 16, 16).
            times: time steps (n,), 0 to 999.
            tokens: sentences (n, TOKENS).

        Returns:
            v (n, 16, 16, 16).
        """
        text = self.text_encoder(tokens).last_hidden_state
        v: Tensor = self.unet(noisy, times, encoder_hidden_states=text).sample
        return v


def scheduler() -> DPMSolverMultistepScheduler:
    """Make the noise schedule of training and drawing.

    Returns:
        Stable Diffusion's scaled-linear betas with v-prediction; DPM-Solver++ draws with it.
    """
    return DPMSolverMultistepScheduler(
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        steps_offset=1,
    )


def draw_times(n: int, source: torch.Generator) -> Tensor:
    """Draw time steps: four in five logit-normal (the middle matters most), the rest uniform.

    Args:
        n: how many.
        source: random source.

    Returns:
        Whole numbers from 0 to 999, (n,).
    """
    normal = torch.sigmoid(torch.randn(n, generator=source))
    uniform = torch.rand(n, generator=source)
    t = torch.where(torch.rand(n, generator=source) < 0.8, normal, uniform)
    return (t * 1000).long().clamp(0, 999)


def box_weights(record: Record) -> Tensor:
    """Weigh the latents of one picture: up to four times inside boxes, 1 on average.

    Args:
        record: what is in the picture.

    Returns:
        Weights (16, 16), float16.
    """
    inside = np.zeros((128, 128), np.float32)
    for _, (left, top, right, lower) in record.boxes:
        inside[int(top) : int(lower) + 1, int(left) : int(right) + 1] = 1
    cells = inside.reshape(_SIDE, 8, _SIDE, 8).mean((1, 3))
    weights = 1 + (_BOX_WEIGHT - 1) * cells
    return torch.from_numpy(weights / weights.mean()).half()


@torch.inference_mode()
def encode_latents(vae: AutoencoderKL, pictures: NDArray[np.uint8]) -> Tensor:
    """Encode pictures.

    Args:
        vae: the trained autoencoder.
        pictures: (n, 128, 128, 3).

    Returns:
        Scaled latents (n, 16, 16, 16), float16.
    """
    where = next(vae.parameters()).device
    vae.to(memory_format=torch.channels_last)
    parts = []
    at_once = 50 if where.type == "cuda" else 4  # what fits a processor's cache: twice as fast
    for i in range(0, len(pictures), at_once):
        x = torch.from_numpy(np.array(pictures[i : i + at_once])).permute(0, 3, 1, 2)
        with precision(where):
            mean = vae.encode(x.to(where).float() / 127.5 - 1).latent_dist.mean
        parts.append((mean * vae.config.scaling_factor).half().cpu())
    return torch.cat(parts)


def latents_of(
    work: Path, vae_folder: Path, wanted: dict[str, int]
) -> tuple[Tensor, Tensor, list[str]]:
    """Load the latents of the training set, making those that are missing.

    Args:
        work: folder of drawings; keeps the latents, a file a shard.
        vae_folder: the trained autoencoder.
        wanted: number of drawings by grammar.

    Returns:
        Latents (2 n, 16, 16, 16) of n drawings and their mirror images, weights (2 n, 16, 16),
        sentences.
    """
    vae = AutoencoderKL.from_pretrained(vae_folder, dtype=torch.float32).to(device()).eval()
    # Another autoencoder has other latents.
    weights_of_vae = sha256_file(vae_folder / "diffusion_pytorch_model.safetensors")
    folder = work / "latents" / weights_of_vae[:12]
    folder.mkdir(parents=True, exist_ok=True)
    latents, weights, sentences = [], [], []
    for name, n in wanted.items():
        for shard, (pictures, records) in enumerate(load_shards(work / "drawings", name, n)):
            cached = folder / f"{name}-{shard:04d}.pt"
            if not cached.exists():
                part = cached.with_suffix(".part")
                both = np.concatenate([pictures, pictures[:, :, ::-1]])
                torch.save(encode_latents(vae, both), part)
                part.replace(cached)
            latents.append(torch.load(cached, weights_only=True))
            here = torch.stack([box_weights(record) for record in records])
            weights += [here, here.flip(-1)]
            sentences += [record.sentence for record in records] * 2
    return torch.cat(latents), torch.cat(weights), sentences


def main(work: Path, out: Path, recipe: Recipe = RECIPE) -> None:
    """Train text encoder and UNet and save the whole pipeline.

    Args:
        work: folder of drawings, latents and checkpoints.
        out: pipeline folder; its `vae` part is trained already.
        recipe: how long and how fast.
    """
    tokenizer = build_tokenizer(out / "tokenizer")
    torch.manual_seed(recipe.seed)
    model = Denoiser(tokenizer).to(device())
    latents, weights, sentences = latents_of(work, out / "vae", DRAWINGS)
    texts = sorted(set(sentences))
    table = tokenizer([*texts, ""], padding="max_length", return_tensors="pt").input_ids
    number = {text: i for i, text in enumerate(texts)}
    text_of = torch.tensor([number[sentence] for sentence in sentences])
    signal = scheduler().alphas_cumprod.sqrt()
    noise_level = (1 - scheduler().alphas_cumprod).sqrt()
    where = device()

    def loss(step: int, source: torch.Generator) -> Tensor:
        n = recipe.batch
        picks = torch.randint(len(sentences), (n,), generator=source)
        clean, weight = latents[picks].float(), weights[picks].float()
        empty = torch.rand(n, generator=source) < _EMPTY
        tokens = table[torch.where(empty, len(texts), text_of[picks])]
        times = draw_times(n, source)
        noise = torch.randn(clean.shape, generator=source)
        a, b = signal[times][:, None, None, None], noise_level[times][:, None, None, None]
        target = (a * noise - b * clean).to(where)
        predicted = model((a * clean + b * noise).to(where), times.to(where), tokens.to(where))
        error: Tensor = (predicted.float() - target).square() * weight[:, None].to(where)
        return error.mean()

    averaged = train(model, loss, recipe, work / "diffusion.pt")
    save(averaged, tokenizer, out)
    write_report(out, "diffusion", report(work / "diffusion.pt", recipe, sum(DRAWINGS.values())))


def save(model: Denoiser, tokenizer: CLIPTokenizer, out: Path) -> None:
    """Save the whole pipeline in Stable Diffusion's layout, in half precision.

    Args:
        model: text encoder and UNet.
        tokenizer: of the sentences.
        out: pipeline folder; its `vae` part is there already.
    """
    pipeline = StableDiffusionPipeline(
        vae=AutoencoderKL.from_pretrained(out / "vae"),
        text_encoder=copy.deepcopy(model.text_encoder).cpu(),
        tokenizer=tokenizer,
        unet=copy.deepcopy(model.unet).cpu(),
        scheduler=scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.vae.register_to_config(_name_or_path="vae")  # not this machine's folder
    pipeline.to(dtype=torch.float16).save_pretrained(out)
