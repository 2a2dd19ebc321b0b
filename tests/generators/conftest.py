"""Tiny pipelines with random weights, one of each family."""

import pytest

from tests.generators.pipelines import (
    stable_diffusion,
    stable_diffusion_2,
    stable_diffusion_xl,
    z_image,
)


@pytest.fixture(scope="module")
def sd(tmp_path_factory):
    return stable_diffusion(tmp_path_factory.mktemp("sd"))


@pytest.fixture(scope="module")
def sd2(tmp_path_factory):
    return stable_diffusion_2(tmp_path_factory.mktemp("sd2"))


@pytest.fixture(scope="module")
def sdxl(tmp_path_factory):
    return stable_diffusion_xl(tmp_path_factory.mktemp("sdxl"))


@pytest.fixture(scope="module")
def flow(tmp_path_factory):
    return z_image(tmp_path_factory.mktemp("flow"))
