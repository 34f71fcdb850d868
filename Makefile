# Each target makes the virtual environment it needs, from constraints.txt, and nothing else.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
SCHEMA := from virtuallab.protocol import schema; print(schema.text(), end="")
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: help quickstart test test-slow test-generated first-hour lint schema format docs bench study-rules study-probes study-decoder study-published study-coverage clean
.DEFAULT_GOAL := help

help: ## What there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 17

$(VENV)/bin/python:
	@"$(PYTHON)" -c "import sys; sys.exit(sys.version_info < (3, 11))" || \
	  { echo "virtuallab needs Python 3.11: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	"$(PYTHON)" -m venv $(VENV)

$(VENV)/.base: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing virtuallab into $(VENV) (a few minutes the first time)"
	@$(PIP) torch torchvision
	@$(PIP) -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	@$(PIP) -e ".[dev]"
	@touch $@

$(VENV)/.docs: $(VENV)/.base
	@$(PIP) -e ".[docs]"
	@touch $@

quickstart: $(VENV)/.base ## Train 160 networks under 4 rules, record them, identify the rules
	$(BIN)/virtuallab run protocols/quickstart.yaml

test: $(VENV)/.dev ## Run every test but those that take minutes
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -q -m "not slow"

test-slow: $(VENV)/.dev ## Run the tests that take minutes
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -q -m slow

test-generated: $(VENV)/.dev ## Run a thousand small protocols, drawn at random, to their end (an hour)
	OMP_NUM_THREADS=1 MPLBACKEND=Agg $(BIN)/python -m tests.generated --count 1000 --workers 2

first-hour: ## Build the base environment from nothing, and do in it what the pages show
	"$(PYTHON)" tests/first_hour.py

lint: $(VENV)/.dev ## Style, types, import directions, spelling, protocols and their schema
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell README.md CHANGELOG.md CONTRIBUTING.md docs protocols virtuallab tests benchmarks examples studies
	$(BIN)/python -c '$(SCHEMA)' | diff - virtuallab/protocol/protocol.schema.json
	diff virtuallab/protocol/protocol.schema.json protocols/schema/
	$(BIN)/virtuallab validate protocols/*.yaml

schema: $(VENV)/.dev ## Make the JSON Schema of protocols anew
	$(BIN)/python -c '$(SCHEMA)' > virtuallab/protocol/protocol.schema.json
	cp virtuallab/protocol/protocol.schema.json protocols/schema/

format: $(VENV)/.dev ## Bring the code into style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.docs ## Build the documentation into docs/_build
	$(BIN)/sphinx-build -W --keep-going -q docs docs/_build
	@echo "Open docs/_build/index.html"

bench: $(VENV)/.base ## Measure speed side by side, in one run
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

study-rules: $(VENV)/.base ## Ask the claims about rules of networks, for the documentation
	@for study in theory step_limit rules kunin2020 many_rules; do \
	  echo "== studies/$$study.py"; $(BIN)/python studies/$$study.py || exit 1; done

study-probes: $(VENV)/.base ## Compare devices, unit counts, noise and moments, for the documentation
	@for study in probe_designs noise_alone; do \
	  echo "== studies/$$study.py"; $(BIN)/python studies/$$study.py || exit 1; done

study-decoder: $(VENV)/.base ## Ask how far a verdict can be believed, for the documentation
	$(BIN)/python studies/decoder.py

study-published: $(VENV)/.base ## Ask how much the published scheme owes to a constant step size
	OMP_NUM_THREADS=1 $(BIN)/python studies/published_scheme.py

study-coverage: $(VENV)/.base ## Count how often intervals hold an accuracy that is known
	OMP_NUM_THREADS=1 $(BIN)/python studies/coverage.py

clean: ## Remove the environment and what was built; experiments in runs/ stay
	rm -rf $(VENV) build dist docs/_build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
