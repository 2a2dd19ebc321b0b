"""`rldf grammar`: show grammars, check grammar files, and convert single sentences."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rldf.cli import grammar_order, output

if TYPE_CHECKING:
    from rldf.grammar.grammar import Grammar

app = typer.Typer(help="Show, check and use grammars.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="A shipped grammar, or a path that ends in .yaml.")]


@app.command("list")
def list_(as_json: output.JsonFlag = False) -> None:
    """List the shipped grammars."""
    from rldf.grammar.grammar import load_grammar
    from rldf.io.resources import names

    grammars = [load_grammar(name) for name in names("grammars")]
    document = [
        {"name": g.name, "states": g.n_states, "shape": g.shape, "description": g.description}
        for g in grammars
    ]
    rows = [(g.name, f"{g.n_states} states", g.description) for g in grammars]
    output.result(document, output.table(rows), as_json=as_json)


@app.command()
def show(name: Name, as_json: output.JsonFlag = False) -> None:
    """Show a grammar: its productions, axes, values, number of sentences, and an example."""
    from rldf.grammar.grammar import load_grammar

    grammar = load_grammar(name)
    output.result(grammar_document(grammar), grammar_lines(grammar), as_json=as_json)


@app.command()
def check(
    file: Annotated[
        str, typer.Argument(help="A path of a grammar file, or the name of a shipped grammar.")
    ],
    as_json: output.JsonFlag = False,
) -> None:
    """Check a grammar file and list every problem; exit with code 2 if there is one."""
    problems, n_states = check_file(file)
    document = {"file": file, "ok": not problems, "states": n_states, "problems": problems}
    lines = [f"{file}: {problem}" for problem in problems]
    output.result(document, lines or [f"{file}: good, {n_states} states"], as_json=as_json)
    if problems:
        output.fail(f"grammar {file} has {len(problems)} problem(s)")
        raise typer.Exit(2)


@app.command()
def sentence(
    name: Name,
    vector: Annotated[
        str, typer.Argument(help="An encoding such as 1,4,0,2, or a sentence in quotes.")
    ],
    as_json: output.JsonFlag = False,
) -> None:
    """Print the sentence of an encoding, or the encoding of a sentence."""
    from rldf.grammar.encoding import format_encoding
    from rldf.grammar.grammar import load_grammar

    grammar = load_grammar(name)
    document = read_state(grammar, vector)
    is_sentence = any(letter.isalpha() for letter in vector)
    answer = format_encoding(document["encoding"]) if is_sentence else document["sentence"]
    output.result(document, [answer], as_json=as_json)


app.command()(grammar_order.order)


def check_file(name_or_path: str) -> tuple[list[str], int | None]:
    """Return the problems of a grammar file, and its number of states (None if unreadable)."""
    from pathlib import Path

    from rldf.grammar.grammar import check_grammar
    from rldf.io.resources import find
    from rldf.io.yaml import read_text

    path = find("grammars", name_or_path) or Path(name_or_path)
    grammar, problems = check_grammar(read_text(path, "grammar"))
    return problems, grammar.n_states if grammar else None


def read_state(grammar: "Grammar", text: str) -> dict[str, Any]:
    """Return the encoding, sentence and derivation of a text, an encoding or a sentence."""
    from rldf.grammar.encoding import parse_encoding

    has_words = any(letter.isalpha() for letter in text)
    encoding = grammar.parse(text) if has_words else parse_encoding(text, grammar.shape)
    return {
        "encoding": encoding,
        "sentence": grammar.derive(encoding),
        "derivation": grammar.decode(encoding),
    }


def grammar_document(grammar: "Grammar") -> dict[str, Any]:
    """Return the document that `rldf grammar show --json` prints."""
    return {
        "name": grammar.name,
        "description": grammar.description,
        "states": grammar.n_states,
        "productions": grammar.productions,
        "axes": [
            {
                "symbol": axis.symbol,
                "reads": axis.reads,
                "rank": axis.rank,
                "values": [
                    {"name": v.name, "labels": v.labels, "count": v.count, "wnid": v.wnid}
                    for v in axis.values
                ],
            }
            for axis in grammar.axes
        ],
        "people": grammar.people,
        "example": {"encoding": _middle(grammar), "sentence": grammar.derive(_middle(grammar))},
    }


def grammar_lines(grammar: "Grammar") -> list[str]:
    """Return the lines that `rldf grammar show` prints."""
    from rldf.grammar.encoding import format_encoding

    lines = [f"{grammar.name}: {grammar.description}", "", "productions"]
    lines += [
        f"  {line}"
        for line in output.table(
            [(symbol, "->", rule) for symbol, rule in grammar.productions.items()]
        )
    ]
    for axis in grammar.axes:
        nth = f" {axis.rank}" if axis.rank > 1 else ""
        lines += ["", f"{axis.symbol} (reads {axis.reads}{nth})"]
        rows = [(str(i), v.name, _meaning(v.labels, v.count)) for i, v in enumerate(axis.values)]
        lines += [f"  {line}" for line in output.table(rows)]
    example = _middle(grammar)
    shape = " x ".join(str(size) for size in grammar.shape)
    return [
        *lines,
        "",
        f"{grammar.n_states} states ({shape})",
        f"example {format_encoding(example)}: {grammar.derive(example)}",
    ]


def _meaning(labels: tuple[str, ...], count: tuple[int, int | None] | None) -> str:
    if count is None:
        return ", ".join(labels)
    low, high = count
    return f"{low} or more" if high is None else str(low) if low == high else f"{low} to {high}"


def _middle(grammar: "Grammar") -> tuple[int, ...]:
    return tuple(size // 2 for size in grammar.shape)
