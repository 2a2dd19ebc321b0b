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
    """An optimizer of torch whose rate is given with every step."""

    def __init__(self, inner: torch.optim.Optimizer) -> None:
        """Wrap an optimizer.

        Args:
            inner: of torch.
        """
        self._inner = inner

    def step(self, rate: float) -> None:
        """Move the parameters against their gradients.

        Args:
            rate: learning rate of this step.
        """
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
    return [
        Optimizer(adamw),
        Optimizer(Muon([p for n, p in model.named_parameters() if n in within], decay)),
    ]


class Muon(torch.optim.Optimizer):
    """Momentum made orthogonal; a kernel (out, in, 3, 3) is a matrix (out, in * 9).

    torch's own works in bfloat16, which a processor without it computes many times slower; this
    one works in the precision of the weights. The steps are as long as AdamW's, so that one
    learning rate serves both.
    """

    def __init__(self, parameters: Sequence[Tensor], decay: float, momentum: float = 0.95) -> None:
        """Make the optimizer.

        Args:
            parameters: of two dimensions or more.
            decay: weight decay.
            momentum: of the gradient, 0 to 1.
        """
        super().__init__(parameters, {"lr": 0.0, "weight_decay": decay, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move every matrix by its orthogonal momentum.

        Args:
            closure: not used.
        """
        for group in self.param_groups:
            for p in group["params"]:
                assert p.grad is not None
                state = self.state[p]
                if not state:
                    state["momentum_buffer"] = torch.zeros_like(p)
                momentum = state["momentum_buffer"].lerp_(p.grad, 1 - group["momentum"])
                ahead = p.grad.lerp(momentum, group["momentum"])  # Nesterov's
                update = orthogonal(ahead.flatten(1)).view_as(p)
                length = 0.2 * max(p.shape[0], p[0].numel()) ** 0.5  # AdamW's root mean square
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(update, alpha=-group["lr"] * length)


def orthogonal(matrix: Tensor, steps: int = 5) -> Tensor:
    """Compute about U V' of a matrix U S V', by Newton-Schulz steps.

    Args:
        matrix: (m, n), float32 or less.
        steps: how many; five bring the singular values between 0.7 and 1.2.

    Returns:
        (m, n), in the same precision.
    """
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    x: Tensor = wide / wide.norm().clamp(min=1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return x if wide is matrix else x.T


def _is_matrix(name: str, parameter: Tensor) -> bool:
    edge = ("token_embedding", "position_embedding", "conv_in", "conv_out")
    return parameter.ndim >= 2 and not any(part in name for part in edge)
