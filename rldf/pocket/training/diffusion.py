"""Trains the pocket text encoder and UNet together, and saves a Stable Diffusion pipeline.

Latents of the drawings are encoded once. v-prediction; the loss
counts four times inside the boxes of things; one sentence in ten is empty, for guidance.
Two stages: the 480 sentences of base.yaml first, then all that the world can draw.
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
from rldf.pocket.training.drawings import Record, load_shards
from rldf.pocket.training.loop import Recipe, device, report, train, write_report
from rldf.pocket.training.tokenizer import TOKENS, build_tokenizer

BASE = Recipe(steps=4300, batch=64, rate=1.2e-3, cooldown=0.45)
BASE_DRAWINGS = {"base": 32_000}
POCKET = Recipe(steps=4800, batch=96, rate=2e-3, cooldown=0.5, seed=1, muon=True)
POCKET_DRAWINGS = {"base": 20_000, "pocket": 40_000}
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
            in_channels=8,
            out_channels=8,
            block_out_channels=(48, 96, 192),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            layers_per_block=1,
            attention_head_dim=(3, 3, 6),
            norm_num_groups=16,
            cross_attention_dim=128,
        )

    def forward(self, noisy: Tensor, times: Tensor, tokens: Tensor) -> Tensor:
        """Predict v of noisy latents.

        Args:
            noisy: latents (n, 8, 16, 16).
            times: time steps (n,), 0 to 999.
            tokens: sentences (n, 32).

        Returns:
            v (n, 8, 16, 16).
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
        Scaled latents (n, 8, 16, 16), float16.
    """
    where = next(vae.parameters()).device
    parts = []
    for i in range(0, len(pictures), 50):
        x = torch.from_numpy(np.array(pictures[i : i + 50])).permute(0, 3, 1, 2)
        with torch.autocast(where.type, torch.bfloat16):
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
        Latents (n, 8, 16, 16), weights (n, 16, 16), sentences.
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
                torch.save(encode_latents(vae, pictures), part)
                part.replace(cached)
            latents.append(torch.load(cached, weights_only=True))
            weights += [box_weights(record) for record in records]
            sentences += [record.sentence for record in records]
    return torch.cat(latents), torch.stack(weights), sentences


def main(work: Path, out: Path) -> None:
    """Train text encoder and UNet in both stages and save the whole pipeline.

    Args:
        work: folder of drawings, latents and checkpoints.
        out: pipeline folder; its `vae` part is trained already.
    """
    tokenizer = build_tokenizer(out / "tokenizer")
    torch.manual_seed(BASE.seed)
    model = Denoiser(tokenizer).to(device())
    stages = (
        (BASE, BASE_DRAWINGS, work / "diffusion-base.pt"),
        (POCKET, POCKET_DRAWINGS, work / "diffusion-pocket.pt"),
    )
    facts = []
    for recipe, wanted, checkpoint in stages:
        # The second stage starts from the averaged weights of the first.
        model = train_stage(model, tokenizer, recipe, wanted, checkpoint, out / "vae")
        facts.append(report(checkpoint, recipe, sum(wanted.values())))
        save(model, tokenizer, out)
    write_report(out, "diffusion", {"stages": facts})


def train_stage(
    model: Denoiser,
    tokenizer: CLIPTokenizer,
    recipe: Recipe,
    wanted: dict[str, int],
    checkpoint: Path,
    vae: Path,
) -> Denoiser:
    """Train on one mixture of drawings.

    Args:
        model: where to start; a checkpoint takes its place.
        tokenizer: of the sentences.
        recipe: how long and how fast.
        wanted: number of drawings by grammar.
        checkpoint: file of the state; drawings and latents lie beside it.
        vae: folder of the trained autoencoder.

    Returns:
        The model with averaged weights.
    """
    latents, weights, sentences = latents_of(checkpoint.parent, vae, wanted)
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

    return train(model, loss, recipe, checkpoint).requires_grad_(True)


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
