# Set-up, tests and the demonstration. Everything lives in .venv; `make clean` removes it.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: setup demo test test-long check docs format reference frozen-or-finetuned bench test-bench clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "featkit needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(READY)

demo: $(READY)
	$(BIN)/featkit demo

test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist worksteal -q

# What takes so long that `make test` leaves it out: notebook, demo, published studies, lost workers, probes on real features.
test-long: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist worksteal -q -m long

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The site of docs/, in site/, with its notebook run: half a minute. `mkdocs serve` shows it while it is written.
docs: $(READY)
	OMP_NUM_THREADS=1 NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The study on the real images in ../shared: about an hour on two cores.
reference: $(READY)
	BIN=$(BIN) bash scripts/reference.sh

# Frozen features against fine-tuning on the same images: two to three hours on two cores.
frozen-or-finetuned: $(READY)
	BIN=$(BIN) bash scripts/frozen_or_finetuned.sh

# Every benchmark once, at a size that says nothing of speed.
test-bench: $(READY)
	$(BIN)/pytest -q -m bench tests/benchmarks

# featkit and its rivals, measured in turn: hours on two idle cores, and 7 GB for thingsvision's own environment.
bench: $(READY)
	$(BIN)/python -m benchmarks all --rivals thingsvision

clean:
	rm -rf $(VENV) site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
