"""Trains the pocket autoencoder (`AutoencoderKL`, 128 x 128 to 16 x 16 x 16).

It has no attention, so most steps train on 64 x 64 crops around things, where the detail is, at a
quarter of the cost; the last ones see whole pictures.
"""

from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import Tensor

from rldf.pocket.training.drawings import Record
from rldf.pocket.training.loop import Recipe, device, report, train, write_report
from rldf.pocket.training.pictures import load_pictures

RECIPE = Recipe(steps=9000, batch=16, rate=1.5e-3, average=0.998)
DRAWINGS = {"pocket": 24_000}
LATENTS = 16
"""Channels of the latents: 16 hold more detail than 8, and cost the UNet next to nothing."""
_KL = 1e-4
"""Weight of the KL term: 2e-3 left four of the 16 channels empty and cost more than 1 dB."""
_CROP = 64
_WHOLE_FROM = 0.88  # share of the steps after which whole pictures are seen


def build() -> AutoencoderKL:
    """Make the untrained autoencoder.

    Returns:
        About 1.7 million parameters, f = 8.
    """
    return AutoencoderKL(
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
        block_out_channels=[16, 32, 64, 96],
        layers_per_block=1,
        latent_channels=LATENTS,
        norm_num_groups=8,
        sample_size=128,
        mid_block_add_attention=False,
    )


def loss_of(vae: AutoencoderKL, x: Tensor, noise: Tensor) -> Tensor:
    """Compute the reconstruction loss: L1, squared error, edges, and a light KL term.

    Args:
        vae: the autoencoder.
        x: pictures (n, 3, h, w), range -1 to 1.
        noise: standard normal noise for the latents (n, 16, h / 8, w / 8).

    Returns:
        The loss, a scalar.
    """
    posterior = vae.encode(x).latent_dist
    y = vae.decode(posterior.mean + posterior.std * noise).sample.float()
    kl = 0.5 * (posterior.mean**2 + posterior.var - 1 - posterior.logvar).float().mean()
    loss: Tensor = reconstruction_loss(y, x) + _KL * kl
    return loss


def reconstruction_loss(y: Tensor, x: Tensor) -> Tensor:
    """Compute L1 + squared error + half of the L1 of the differences of neighbouring pixels."""
    error = y - x
    edges = (error[..., 1:] - error[..., :-1]).abs().mean() + (
        error[..., 1:, :] - error[..., :-1, :]
    ).abs().mean()
    loss: Tensor = error.abs().mean() + error.square().mean() + 0.5 * edges
    return loss


def crop_corner(record: Record, source: torch.Generator) -> tuple[int, int]:
    """Choose a crop around a random thing of a picture, or anywhere in one picture of four.

    Args:
        record: what is in the picture.
        source: random source.

    Returns:
        x and y of the crop's upper left corner, px.
    """
    limit = 128 - _CROP
    a, b, c, d = torch.rand(4, generator=source).tolist()
    if a < 0.25 or not record.boxes:
        return round(b * limit), round(c * limit)
    left, top, right, lower = record.boxes[int(d * len(record.boxes))][1]
    x = (left + right) / 2 - _CROP / 2 + (b - 0.5) * 32
    y = (top + lower) / 2 - _CROP / 2 + (c - 0.5) * 32
    return round(min(max(x, 0), limit)), round(min(max(y, 0), limit))


def main(work: Path, out: Path, recipe: Recipe = RECIPE) -> None:
    """Train the autoencoder and save it in diffusers' layout.

    Args:
        work: folder of drawings and checkpoints.
        out: folder that gets config.json and the weights.
        recipe: how long and how fast.
    """
    pictures, records = load_pictures(work / "drawings", DRAWINGS)
    torch.manual_seed(recipe.seed)
    vae = build().to(device())

    def loss(step: int, source: torch.Generator) -> Tensor:
        whole = step >= recipe.steps * _WHOLE_FROM
        n = recipe.batch // 2 if whole else recipe.batch
        picks = torch.randint(len(pictures), (n,), generator=source).tolist()
        if whole:
            batch = np.stack([pictures[i] for i in picks])
        else:
            batch = np.empty((n, _CROP, _CROP, 3), np.uint8)
            for k, i in enumerate(picks):
                x, y = crop_corner(records[i], source)
                batch[k] = pictures[i][y : y + _CROP, x : x + _CROP]
        pixels = torch.from_numpy(batch).permute(0, 3, 1, 2).float() / 127.5 - 1
        side = pixels.shape[-1] // 8
        noise = torch.randn(n, LATENTS, side, side, generator=source)
        return loss_of(vae, pixels.to(device()), noise.to(device()))

    averaged = train(vae, loss, recipe, work / "autoencoder.pt")
    sample = torch.from_numpy(np.stack(pictures[::48])).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.inference_mode():
        parts = [
            averaged.encode(x.to(device())).latent_dist.mean.cpu() for x in torch.split(sample, 50)
        ]
    averaged.register_to_config(scaling_factor=round(float(1 / torch.cat(parts).std()), 5))
    out.mkdir(parents=True, exist_ok=True)
    averaged.half().save_pretrained(out)
    write_report(out, "autoencoder", report(work / "autoencoder.pt", recipe, len(pictures)))
