"""Builds the pocket tokenizers: CLIP's byte-level BPE, learned on the sentences of the grammars.

Every word of the grammars becomes one token; any other string falls back to its bytes.
"""

import json
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import CLIPTokenizer

from rldf.grammar.grammar import Grammar, load_grammar

TOKENS = 36
"""Longest sentence in tokens, start and end included."""

_START, _END = "<|startoftext|>", "<|endoftext|>"


def words_of(grammar: Grammar) -> set[str]:
    """Collect the words of a grammar's sentences.

    Args:
        grammar: any grammar.

    Returns:
        Lower-case words.
    """
    texts = [text for slot in grammar.slots for text in slot.forms.values()]
    for axis in grammar.axes:
        texts += [text for value in axis.values for text in value.forms.values()]
    return {word for text in texts for word in text.lower().split()}


def build_tokenizer(folder: Path) -> CLIPTokenizer:
    """Learn the vocabulary and save the tokenizer, or load the one that is there.

    The learner breaks ties by chance, so a training that goes on must keep its vocabulary: another
    would give the learned embeddings to other words.

    Args:
        folder: gets vocab.json, merges.txt, tokenizer.json and tokenizer_config.json.

    Returns:
        The tokenizer as the pipeline loads it.
    """
    if (folder / "tokenizer.json").is_file():
        return CLIPTokenizer.from_pretrained(folder, model_max_length=TOKENS)
    words = sorted(words_of(load_grammar("pocket")) | words_of(load_grammar("base")))
    learner = Tokenizer(models.BPE(end_of_word_suffix="</w>", fuse_unk=False))
    learner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    learner.decoder = decoders.ByteLevel()
    bytes_ = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(  # as many merges as the words need, and no more
        vocab_size=4000, end_of_word_suffix="</w>", initial_alphabet=bytes_, show_progress=False
    )
    learner.train_from_iterator((word for word in words for _ in range(2)), trainer)
    model = json.loads(learner.to_str())["model"]
    merges = [" ".join(m) if isinstance(m, list) else m for m in model["merges"]]
    tokens = bytes_ + [b + "</w>" for b in bytes_]
    tokens += [token for m in merges if (token := m.replace(" ", "")) not in tokens]
    tokens = [*dict.fromkeys(tokens), _START, _END]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(
        json.dumps({token: i for i, token in enumerate(tokens)}), encoding="utf-8"
    )
    (folder / "merges.txt").write_text(
        "\n".join(["#version: 0.2", *merges]) + "\n", encoding="utf-8"
    )
    tokenizer = CLIPTokenizer.from_pretrained(folder, model_max_length=TOKENS)
    tokenizer.save_pretrained(folder)
    return tokenizer
