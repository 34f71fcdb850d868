# Each target creates the virtual environment that it needs, from constraints.txt.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
SCHEMA := from virtuallab.protocol import schema; print(schema.text(), end="")
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: help quickstart test test-slow test-generated first-hour lint schema format docs bench study-rules study-theory study-probes study-decoder study-published study-coverage study-kinds study study-alignment study-confirmation notebook benchmark-set clean
.DEFAULT_GOAL := help

help: ## List the targets
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

$(VENV)/.notebook: $(VENV)/.base
	@$(PIP) -e ".[notebook]"
	@touch $@

$(VENV)/.audio: $(VENV)/.base
	@$(PIP) -e ".[audio]"
	@touch $@

quickstart: $(VENV)/.base ## Train 160 networks under 4 rules, record them, identify the rules
	$(BIN)/virtuallab run protocols/quickstart.yaml

test: $(VENV)/.dev ## Run all tests except the slow ones
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile -q -m "not slow"

test-slow: $(VENV)/.dev ## Run the slow tests, which take minutes each
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -q -m slow

test-generated: $(VENV)/.dev ## Run a thousand small random protocols to completion (an hour)
	OMP_NUM_THREADS=1 MPLBACKEND=Agg $(BIN)/python -m tests.generated --count 1000 --workers 2

first-hour: ## Build a new base environment and run the commands of the documentation in it
	"$(PYTHON)" tests/first_hour.py

lint: $(VENV)/.dev ## Check style, types, import directions, spelling, protocols and their schema
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --explicit-package-bases studies benchmarks
	$(BIN)/lint-imports
	$(BIN)/codespell README.md CHANGELOG.md CONTRIBUTING.md docs protocols virtuallab tests benchmarks examples studies
	$(BIN)/python -c '$(SCHEMA)' | diff - virtuallab/protocol/protocol.schema.json
	diff virtuallab/protocol/protocol.schema.json protocols/schema/
	$(BIN)/virtuallab validate $(filter-out protocols/nayebi2020_full.yaml,$(wildcard protocols/*.yaml))
	$(BIN)/virtuallab validate --syntax protocols/nayebi2020_full.yaml  # its files are not here

schema: $(VENV)/.dev ## Generate the JSON Schema of protocols
	$(BIN)/python -c '$(SCHEMA)' > virtuallab/protocol/protocol.schema.json
	cp virtuallab/protocol/protocol.schema.json protocols/schema/

format: $(VENV)/.dev ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.docs ## Build the documentation into docs/_build
	$(BIN)/sphinx-build -W --keep-going -q docs docs/_build
	@echo "Open docs/_build/index.html"

bench: $(VENV)/.base ## Measure speed and memory, for the documentation (hours)
	@for name in population chain step_profile rules allocator growth recording decoding designs statistics large_subject startup; do \
	  echo "== benchmarks/$$name.py"; $(BIN)/python -m benchmarks.$$name || exit 1; done

study-rules: $(VENV)/.base ## Test claims about learning rules, for the documentation
	@for study in theory step_limit rules kunin2020 many_rules; do \
	  echo "== studies/$$study.py"; $(BIN)/python studies/$$study.py || exit 1; done

study-theory: $(VENV)/.base ## Measure how far changes that theory predicts identify the rule
	OMP_NUM_THREADS=1 $(BIN)/python studies/theory_features.py

study-probes: $(VENV)/.base ## Compare devices, numbers of units, visits and noise, for the documentation
	@for study in probe_designs noise_alone noise_units; do \
	  echo "== studies/$$study.py"; $(BIN)/python studies/$$study.py || exit 1; done

study-decoder: $(VENV)/.base ## Measure how reliable predictions are, for the documentation
	$(BIN)/python studies/decoder.py

study-published: $(VENV)/.base ## Measure the effect of a constant learning rate on the published scheme
	OMP_NUM_THREADS=1 $(BIN)/python studies/published_scheme.py

study-coverage: $(VENV)/.base ## Measure the coverage of intervals in simulated experiments
	OMP_NUM_THREADS=1 $(BIN)/python studies/coverage.py

study-kinds: $(VENV)/.audio ## Train 22 kinds of networks and tasks by four rules, for the documentation
	OMP_NUM_THREADS=1 $(BIN)/python studies/kinds.py

study: $(VENV)/.audio ## Train 1,056 subjects of 22 kinds and identify their rules, for the documentation
	OMP_NUM_THREADS=1 $(BIN)/python -m studies.factorial

study-alignment: $(VENV)/.audio ## Compare settings by which backward weights of the factorial align
	OMP_NUM_THREADS=1 $(BIN)/python -m studies.factorial.alignment

study-confirmation: $(VENV)/.audio ## Train and identify subjects that were set aside, once, after the study
	OMP_NUM_THREADS=1 $(BIN)/python -m studies.factorial.confirmation

notebook: $(VENV)/.notebook ## Execute examples/open_the_factorial.ipynb on the files of runs/nayebi2020_shared
	OMP_NUM_THREADS=1 $(BIN)/python -m studies.factorial.notebook

benchmark-set: $(VENV)/.audio ## Make the benchmark set from runs/nayebi2020.zarr and runs/nayebi2020_confirmation.zarr
	OMP_NUM_THREADS=1 $(BIN)/python studies/benchmark_set.py

clean: ## Remove the environment and build files; experiments in runs/ are kept
	rm -rf $(VENV) build dist docs/_build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis benchmarks/.environments
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
