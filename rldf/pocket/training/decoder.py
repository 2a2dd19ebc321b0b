"""Sharpens the decoder of the trained autoencoder; its encoder, and so the latents, stay.

A mean of what a latent could stand for is soft. Beside the loss of the autoencoder, features of an
ImageNet network (LPIPS, arXiv:1801.03924) and a critic of patches (VQGAN, arXiv:2012.09841) pay
for texture. Decoder and critic are one module with one loss: the critic's weights are held fixed
where the decoder learns from it, and the decoder's output is where the critic learns.
"""

from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from rldf.models.model_sets import load_model_set
from rldf.perception.lite0 import load_network
from rldf.pocket.training.autoencoder import reconstruction_loss
from rldf.pocket.training.diffusion import latents_of
from rldf.pocket.training.drawings import SHARD
from rldf.pocket.training.loop import Recipe, device, report, train, write_report
from rldf.pocket.training.pictures import load_pictures

RECIPE = Recipe(steps=2500, batch=16, rate=5e-4, warmup=100, average=0.995)
DRAWINGS = {"pocket": 24_000}
_SIDE, _CROP = 16, 8  # latents
_NOISE = 0.05  # of latents: those of a generator are not exact
_FEATURES, _CRITIC = 0.3, 0.05  # weights in the loss
_CRITIC_FROM = 200  # steps: an untrained critic has nothing to say


class Critic(nn.Sequential):
    """Says of each patch of an image whether it is a drawing (positive) or was decoded."""

    def __init__(self) -> None:
        """Make an untrained critic of 150,000 weights."""
        super().__init__(
            nn.Conv2d(3, 32, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(32, 64, 4, 2, 1),
            nn.GroupNorm(8, 64),
            nn.LeakyReLU(0.2),
            nn.Conv2d(64, 96, 3, 1, 1),
            nn.GroupNorm(8, 96),
            nn.LeakyReLU(0.2),
            nn.Conv2d(96, 1, 3, 1, 1),
        )


class Sharpener(nn.Module):
    """The decoder that is trained, and the critic that it is trained against."""

    def __init__(self, vae: AutoencoderKL) -> None:
        """Take the decoder of an autoencoder."""
        super().__init__()
        self.post_quant_conv, self.decoder, self.critic = vae.post_quant_conv, vae.decoder, Critic()

    def decode(self, latents: Tensor) -> Tensor:
        """Decode unscaled latents (n, 16, h, w) to images (n, 3, 8 h, 8 w)."""
        image: Tensor = self.decoder(self.post_quant_conv(latents))
        return image

    def judge_fixed(self, image: Tensor) -> Tensor:
        """Judge images by the critic, whose weights get no gradient."""
        weights = {name: weight.detach() for name, weight in self.critic.named_parameters()}
        verdict: Tensor = functional_call(self.critic, weights, (image,))
        return verdict


def feature_distance(network: nn.Module, y: Tensor, x: Tensor) -> Tensor:
    """Compare images (n, 3, h, w) by the first features of an EfficientNet, each of length 1."""
    distance = torch.zeros((), device=x.device)
    both = network.bn1(network.conv_stem(torch.cat([y, x])))  # type: ignore[operator]
    for block in network.blocks[:3]:  # type: ignore[index]
        both = block(both)
        ours, true = F.normalize(both, dim=1).chunk(2)
        distance = distance + (ours - true.detach()).square().sum(1).mean()
    return distance / 3


def main(work: Path, vae_folder: Path, recipe: Recipe = RECIPE) -> None:
    """Train the decoder on, and save the autoencoder over the old one.

    Args:
        work: folder of drawings, latents and checkpoints.
        vae_folder: the trained autoencoder.
        recipe: how long and how fast.
    """
    latents, _, _ = latents_of(work, vae_folder, DRAWINGS)
    pictures, _ = load_pictures(work / "drawings", DRAWINGS)
    torch.manual_seed(recipe.seed)
    vae = AutoencoderKL.from_pretrained(vae_folder, dtype=torch.float32).to(device())
    network = load_network(
        load_model_set("pocket").path("photographs"), device().type
    ).requires_grad_(False)
    model = Sharpener(vae).to(device())
    scale = float(vae.config.scaling_factor)

    def loss(step: int, source: torch.Generator) -> Tensor:
        n = recipe.batch
        picks = torch.randint(len(pictures), (n,), generator=source).tolist()
        corners = torch.randint(_SIDE - _CROP + 1, (n, 2), generator=source).tolist()
        x = torch.from_numpy(
            np.stack(
                [
                    pictures[i][8 * a : 8 * (a + _CROP), 8 * b : 8 * (b + _CROP)]
                    for i, (a, b) in zip(picks, corners, strict=True)
                ]
            )
        )
        x = x.permute(0, 3, 1, 2).to(device()).float() / 127.5 - 1
        z = torch.stack(
            [
                latents[_row(i)][:, a : a + _CROP, b : b + _CROP]
                for i, (a, b) in zip(picks, corners, strict=True)
            ]
        ).float()
        z = z + _NOISE * torch.randn(z.shape, generator=source)
        y = model.decode(z.to(device()) / scale)
        total = reconstruction_loss(y, x) + _FEATURES * feature_distance(network, y, x)
        real, decoded = model.critic(x), model.critic(y.detach())
        total = total + F.relu(1 - real).mean() + F.relu(1 + decoded).mean()
        if step >= _CRITIC_FROM:
            total = total - _CRITIC * model.judge_fixed(y).mean()
        return total

    averaged = train(model, loss, recipe, work / "decoder.pt")
    vae.decoder, vae.post_quant_conv = averaged.decoder, averaged.post_quant_conv
    vae.half().save_pretrained(vae_folder)
    write_report(vae_folder, "decoder", report(work / "decoder.pt", recipe, len(pictures)))


def _row(picture: int) -> int:
    """Return where the latents of a picture lie: shard by shard, each followed by its mirrors."""
    return picture // SHARD * 2 * SHARD + picture % SHARD
