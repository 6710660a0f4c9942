# Everything here sets itself up: a fresh clone needs Python 3.11 or later and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready

.DEFAULT_GOAL := help

help:  ## say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

$(STAMP): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[sandbox,httpx2]" --group test --group lint
	@touch $@

demo: $(STAMP)  ## log in, call, refresh, hear it as a signal, fetch The Forge: all against a local sandbox
	@$(BIN)/esipy demo

# On all cores, but four at the most: a container may see more of them than it is given.
test: $(STAMP)  ## all tests
	@$(BIN)/python -m pytest -q --numprocesses auto --maxprocesses 4 --dist worksteal

lint: $(STAMP)  ## ruff, mypy --strict, pyright
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/basedpyright

bench: $(STAMP)  ## measure the speed budget, as ratios in one run
	@$(BIN)/python -m benchmarks

docs: $(STAMP)  ## build the documentation into build/docs
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group docs
	@$(BIN)/python -m sphinx -E -a -W --keep-going -q -b html docs build/docs

catalogue: $(STAMP)  ## write src/esipy/ops anew from ESI's document: make catalogue DOCUMENT=...
	@$(BIN)/python -m tools.catalogue $(DOCUMENT)

clean:  ## remove the environment and what was built
	@rm -rf $(VENV) .bench dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis

.PHONY: help demo test lint bench docs catalogue clean
