PYTHON ?= python3
BIN := .venv/bin
# One thread each: two processes with two threads would fight over two cores.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal
EXAMPLE := examples/elephants-on-platform.png

.DEFAULT_GOAL := help
.PHONY: help setup run test slow fuzz lint check docs structure pocket benchmark wheel

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.stamp ## Install rldf and its tools into .venv

.venv/.stamp: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@

run: setup ## Search for the sentence of an example image: the main job, into runs/
	$(BIN)/rldf search $(EXAMPLE) --models pocket --reward clip

test: setup ## Run the default tests
	$(PYTEST)

slow: setup ## Run the tests that take minutes
	$(BIN)/python -m pytest -m slow

fuzz: setup ## Throw broken images, texts and model files at every command
	$(BIN)/python -m tests.fuzz --full

lint: setup ## Check form, types and the command-line reference
	$(BIN)/ruff format --check && $(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/python tools/cli_docs.py --check

check: lint test ## Check everything that the continuous integration checks

docs: setup ## Write the command-line reference from the program
	$(BIN)/python tools/cli_docs.py

structure: setup ## Measure modules, imports, docstrings and depth of calls
	$(BIN)/python tools/structure.py

pocket: setup ## Train the four pocket models
	$(BIN)/python -m rldf.pocket.training

benchmark: setup ## Repeat the paper's Table 3, with intervals (a quarter of an hour on two cores)
	$(BIN)/rldf bench table3 --models pocket --out bench/table3

wheel: setup ## Build the wheel and try it from an empty environment
	PYTHON=$(abspath $(BIN))/python tools/smoke_wheel.sh
