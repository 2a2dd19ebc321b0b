"""Muon steps like torch's own, in the precision of the weights."""

import pytest
import torch

from rldf.pocket.training.optimizers import Muon, make_optimizers, orthogonal


@pytest.mark.parametrize("shape", [(20, 50), (50, 20), (30, 30)])
def test_an_orthogonal_matrix_has_equal_singular_values_and_the_same_vectors(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    inside = u.T @ orthogonal(matrix) @ v.T
    assert 0.6 < inside.diagonal().min() <= inside.diagonal().max() < 1.2
    assert (inside - torch.diag(inside.diagonal())).abs().max() < 1e-4


def test_its_steps_are_those_of_torchs_muon_but_for_bfloat16():
    source = torch.Generator().manual_seed(0)
    ours = torch.nn.Parameter(torch.randn(8, 3, 3, 3, generator=source))
    theirs = torch.nn.Parameter(ours.detach().flatten(1).clone())
    muon = Muon([ours], decay=0.1)
    reference = torch.optim.Muon(
        [theirs], lr=1e-2, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"
    )
    start = theirs.detach().clone()
    muon.param_groups[0]["lr"] = 1e-2
    for _ in range(5):
        ours.grad = torch.randn(ours.shape, generator=source)
        theirs.grad = ours.grad.flatten(1).clone()
        muon.step()
        reference.step()
    moved = (theirs - start).abs().mean()
    assert (ours.detach().flatten(1) - theirs).abs().mean() < 0.02 * moved


def test_a_resumed_training_takes_the_same_steps():
    def run(resume_at):
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.Linear(6, 2))
        optimizers = make_optimizers(model, 0.01, muon=True)
        for step in range(6):
            if step == resume_at:
                states = [o.state_dict() for o in optimizers]
                optimizers = make_optimizers(model, 0.01, muon=True)
                for optimizer, state in zip(optimizers, states, strict=True):
                    optimizer.load_state_dict(state)
            model.zero_grad()
            x = torch.full((3, 4), float(step))
            model(x).square().mean().backward()
            for optimizer in optimizers:
                optimizer.step(1e-2)
        return torch.cat([p.flatten() for p in model.parameters()])

    assert torch.equal(run(None), run(3))
