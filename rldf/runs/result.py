"""The best sentence of a run, loaded from its folder; other commands generate images of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rldf.errors import GrammarError, RunError, UsageError
from rldf.grammar.encoding import Encoding
from rldf.grammar.grammar import Grammar, load_grammar
from rldf.io.resources import find, names
from rldf.io.yaml import read_text
from rldf.runs.folder import RunFolder, load_run
from rldf.runs.records import best_step


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """The best sentence of a run, in the words of a grammar.

    Attributes:
        run: the run folder.
        grammar_name: name or path of the grammar.
        grammar: the grammar of the sentence, with all values even if the search fixed some axes.
        encoding: (n_axes,) the encoding of the sentence in this grammar.
        sentence: the sentence with the highest reward.
        reward: the reward of that sentence.
        searched_with: identity of the model set of the search, as recorded in the run.
        models: name or path of the model set of the search.
        notes: messages to the user, one line each.
        warnings: warnings about the reading of the input image; `notes` includes them.
    """

    run: Path
    grammar_name: str
    grammar: Grammar
    encoding: Encoding
    sentence: str
    reward: float
    searched_with: Mapping[str, Any]
    models: str
    notes: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def words(self) -> dict[str, str]:
        """The value name of each axis, by its symbol."""
        return self.grammar.decode(self.encoding)

    def axis_number(self, symbol: str) -> int:
        """Return the number of the axis with a symbol."""
        for number, axis in enumerate(self.grammar.axes):
            if axis.symbol == symbol:
                return number
        known = ", ".join(axis.symbol for axis in self.grammar.axes)
        raise GrammarError(
            f"grammar {self.grammar.name} has no axis '{symbol}': type one of {known}"
            + self._elsewhere(symbol)
        )

    def _elsewhere(self, symbol: str) -> str:
        """Return a hint that names a shipped grammar with this axis and sentence, or ""."""
        for name in names("grammars"):
            path = find("grammars", name)
            if path is None or f"{symbol}:" not in read_text(path, "grammar").split():
                continue  # large grammars take seconds to load
            try:
                load_grammar(name).parse(self.sentence)
            except GrammarError:
                continue
            return f", or add --grammar {name}, which has it and knows the sentence"
        return ""

    def document(self) -> dict[str, Any]:
        """Return the JSON for a manifest, without the path of the run."""
        return {
            "sentence": self.sentence,
            "grammar": self.grammar.name,
            "words": self.words,
            "reward": self.reward,
            "searched_with": dict(self.searched_with),
        }


def read_result(path: Path) -> RunResult:
    """Load the sentence of a run with the highest reward."""
    run = load_run(path)
    steps = run.steps()
    if not steps:
        raise RunError(f"{path} has no steps yet: resume that search, or give another run")
    best = best_step(steps, None)
    name = str(run.record.config.get("grammar"))
    grammar = _grammar(run, name)
    return RunResult(
        run=path,
        grammar_name=name,
        grammar=grammar,
        encoding=_parsed(run, grammar, best.sentence),
        sentence=best.sentence,
        reward=best.reward,
        searched_with=_identity(run),
        models=str(run.record.config.get("models", "pocket")),
        notes=_notes(run),
        warnings=run.record.warnings,
    )


def in_words_of(found: RunResult, grammar: str | None) -> RunResult:
    """Express the sentence of a run in another grammar, which may have more axes."""
    if grammar is None:
        return found
    words = load_grammar(grammar)
    encoding = words.parse(found.sentence)
    return replace(found, grammar_name=grammar, grammar=words, encoding=encoding)


def _grammar(run: RunFolder, name: str) -> Grammar:
    try:
        return load_grammar(name)
    except UsageError as error:
        raise RunError(f"{run.path}: the grammar of this run cannot be loaded: {error}") from None


def _parsed(run: RunFolder, grammar: Grammar, sentence: str) -> Encoding:
    try:
        return grammar.parse(sentence)
    except GrammarError:
        raise RunError(
            f"grammar {grammar.name} has changed since {run.path} was searched: '{sentence}' is no "
            "sentence of the grammar any more: search again"
        ) from None


def _identity(run: RunFolder) -> Mapping[str, Any]:
    identity = run.record.config.get("model_set", {})
    if not isinstance(identity, dict):
        raise RunError(f"{run.path / 'run.json'} is damaged: model_set is no JSON object")
    return identity


def _notes(run: RunFolder) -> tuple[str, ...]:
    notes = [f"{run.path}, its input: {warning}" for warning in run.record.warnings]
    if run.status != "done":
        notes.append(f"{run.path} is not finished ({run.status}): the best sentence so far is used")
    if "models" not in run.record.config:
        notes.append(f"{run.path} does not say with which models it was searched: pocket is taken")
    return tuple(notes)
