"""The two optimizers of the trainings, behind one small class.

AdamW steps everything by default. Muon (momentum made orthogonal, Jordan et al. 2024,
https://kellerjordan.github.io/posts/muon/) steps the matrices of the UNet and its text encoder
where a recipe asks for it: at equal time on two cores it went further than AdamW.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn


class Optimizer:
    """One optimizer of torch and the parameters it steps."""

    def __init__(
        self, inner: torch.optim.Optimizer, views: Sequence[tuple[Tensor, Tensor]] = ()
    ) -> None:
        """Wrap an optimizer.

        Args:
            inner: of torch.
            views: parameter and, sharing its memory, the matrix that `inner` steps for it.
        """
        self._inner = inner
        self._views = views

    def step(self, rate: float) -> None:
        """Move the parameters against their gradients.

        Args:
            rate: learning rate of this step.
        """
        for parameter, matrix in self._views:
            assert parameter.grad is not None
            matrix.grad = parameter.grad.flatten(1)
        for group in self._inner.param_groups:
            group["lr"] = rate
        self._inner.step()

    def state_dict(self) -> dict[str, Any]:
        """Give torch's state, for a checkpoint.

        Returns:
            What `load_state_dict` takes.
        """
        return self._inner.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take a state back.

        Args:
            state: of `state_dict`.
        """
        self._inner.load_state_dict(state)


def make_optimizers(model: nn.Module, decay: float, *, muon: bool) -> list[Optimizer]:
    """Make what steps a model.

    Args:
        model: on its device already.
        decay: weight decay.
        muon: whether Muon steps the matrices within; embeddings, the first and the last
            convolution, biases and norms stay with AdamW.

    Returns:
        One optimizer, or two.
    """
    within = {name for name, p in model.named_parameters() if muon and _is_matrix(name, p)}
    others = [p for name, p in model.named_parameters() if name not in within]
    adamw = torch.optim.AdamW(others, betas=(0.9, 0.99), weight_decay=decay)
    if not muon:
        return [Optimizer(adamw)]
    # torch's Muon takes matrices only: a kernel (out, in, 3, 3) is seen as (out, in * 9).
    views = [
        (p, nn.Parameter(p.detach().flatten(1)))
        for name, p in model.named_parameters()
        if name in within
    ]
    orthogonal = torch.optim.Muon(
        [matrix for _, matrix in views],
        weight_decay=decay,
        adjust_lr_fn="match_rms_adamw",  # so that one learning rate serves both
    )
    return [Optimizer(adamw), Optimizer(orthogonal, views)]


def _is_matrix(name: str, parameter: Tensor) -> bool:
    edge = ("token_embedding", "position_embedding", "conv_in", "conv_out")
    return parameter.ndim >= 2 and not any(part in name for part in edge)
