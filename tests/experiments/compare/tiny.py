"""Tiny models with random weights, in folders as transformers writes them."""

from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    BlipConfig,
    BlipForConditionalGeneration,
    BlipImageProcessor,
    CLIPImageProcessor,
    GitConfig,
    GitForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
    VisionEncoderDecoderModel,
    ViTConfig,
    ViTImageProcessor,
    ViTModel,
)

_SIDE = 32
_VISION = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "image_size": _SIDE,
    "patch_size": 8,
}
_TEXT = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "vocab_size": 120,
    "bos_token_id": 2,
    "pad_token_id": 0,
    "eos_token_id": 3,
    "sep_token_id": 3,
    "max_position_embeddings": 64,
}


def save_captioner(folder, kind):
    """Write an image-to-text model whose words are w0 to w115, with the same weights each time."""
    import torch

    _tokenizer().save_pretrained(folder)
    with torch.random.fork_rng(devices=[]):  # some random weights have nothing to say
        torch.manual_seed(0)
        _MAKERS[kind](folder)


def _tokenizer():
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(f"w{i}" for i in range(116))]
    tokenizer = Tokenizer(
        models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    )


def _save_blip(folder):
    text = {**_TEXT, "encoder_hidden_size": 32}
    BlipForConditionalGeneration(
        BlipConfig(vision_config=_VISION, text_config=text)
    ).save_pretrained(folder)
    BlipImageProcessor(size={"height": _SIDE, "width": _SIDE}).save_pretrained(folder)


def _save_git(folder):
    GitForCausalLM(GitConfig(vision_config=_VISION, **_TEXT)).save_pretrained(folder)
    CLIPImageProcessor(
        size={"shortest_edge": _SIDE}, crop_size={"height": _SIDE, "width": _SIDE}
    ).save_pretrained(folder)


def _save_encoder_decoder(folder):
    decoder = GPT2Config(
        vocab_size=120, n_embd=32, n_layer=2, n_head=4, add_cross_attention=True, is_decoder=True,
        bos_token_id=2, eos_token_id=3,
    )  # fmt: skip
    model = VisionEncoderDecoderModel(
        encoder=ViTModel(ViTConfig(**_VISION)), decoder=GPT2LMHeadModel(decoder)
    )
    for config in (model.config, model.generation_config):
        config.decoder_start_token_id, config.pad_token_id = 2, 0
    model.save_pretrained(folder)
    ViTImageProcessor(size={"height": _SIDE, "width": _SIDE}).save_pretrained(folder)


_MAKERS = {
    "blip": _save_blip,
    "git": _save_git,
    "vision-encoder-decoder": _save_encoder_decoder,
}
