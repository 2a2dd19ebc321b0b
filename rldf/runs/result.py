"""What a run has found, read from its folder: a sentence that other commands draw again."""

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
    """What a run has found: its best sentence, in the words of a grammar.

    Attributes:
        run: the run folder.
        grammar_name: the grammar below as people type it: a name or a path.
        grammar: whose words it is read in; all of them, though the search may have frozen axes.
        encoding: (n_axes,) of the sentence in this grammar.
        sentence: the sentence that earned most.
        reward: what it earned.
        searched_with: identity of the model set whose feedback found it, as the run wrote it down.
        models: the model set of that search as people type it: a name or a path.
        notes: what a user may not expect, one line each.
        warnings: what was doubtful in the reading of the input; `notes` has them too.
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
        """Value name by axis symbol."""
        return self.grammar.decode(self.encoding)

    def axis_number(self, symbol: str) -> int:
        """Find an axis of the grammar."""
        for number, axis in enumerate(self.grammar.axes):
            if axis.symbol == symbol:
                return number
        known = ", ".join(axis.symbol for axis in self.grammar.axes)
        raise GrammarError(
            f"grammar {self.grammar.name} has no axis '{symbol}': type one of {known}"
            + self._elsewhere(symbol)
        )

    def _elsewhere(self, symbol: str) -> str:
        """Say which shipped grammar has an axis, and this sentence too."""
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
        """Describe it for a manifest; where the run lies decides nothing."""
        return {
            "sentence": self.sentence,
            "grammar": self.grammar.name,
            "words": self.words,
            "reward": self.reward,
            "searched_with": dict(self.searched_with),
        }


def read_result(path: Path) -> RunResult:
    """Read what a run has found: the sentence with the highest reward."""
    run = load_run(path)
    steps = run.steps()
    if not steps:
        raise RunError(f"{path} has found nothing yet: go on with that search, or name another run")
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
    """Read a found sentence in the words of another grammar, which may have more axes."""
    if grammar is None:
        return found
    words = load_grammar(grammar)
    encoding = words.parse(found.sentence)
    return replace(found, grammar_name=grammar, grammar=words, encoding=encoding)


def _grammar(run: RunFolder, name: str) -> Grammar:
    try:
        return load_grammar(name)
    except UsageError as error:
        raise RunError(f"{run.path} was searched with a grammar that is gone: {error}") from None


def _parsed(run: RunFolder, grammar: Grammar, sentence: str) -> Encoding:
    try:
        return grammar.parse(sentence)
    except GrammarError:
        raise RunError(
            f"grammar {grammar.name} has changed since {run.path} was searched: '{sentence}' is no "
            "sentence of it any more; search again"
        ) from None


def _identity(run: RunFolder) -> Mapping[str, Any]:
    identity = run.record.config.get("model_set", {})
    if not isinstance(identity, dict):
        raise RunError(f"{run.path / 'run.json'} is damaged: model_set is no record")
    return identity


def _notes(run: RunFolder) -> tuple[str, ...]:
    notes = [f"{run.path}, its input: {warning}" for warning in run.record.warnings]
    if run.status != "done":
        notes.append(f"{run.path} is not finished ({run.status}): the best sentence so far is used")
    if "models" not in run.record.config:
        notes.append(f"{run.path} does not say with which models it was searched: pocket is taken")
    return tuple(notes)
