# opsroom: every command that the project has. `make` alone prints this list.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := simulators telex_ingest cyberstride opsroom dashboards
PYTEST_ARGS ?=
# One more than a machine of two cores has: a test often waits for a browser, a server or a clock of its own.
WORKERS ?= 3
# What one process has compiled the next one reads, whatever the shell says: the tests start many.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install compiled demo test test-long explore fuzz browser lint format types bench bench-filter bench-detect bench-effects bench-truth lock clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 16

$(VENV)/.run: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps -e .
	touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	touch $@

install: $(VENV)/.run compiled  ## the environment in .venv, exact and hashed, and what a room compiles

demo: $(VENV)/.run  ## the whole room with simulated plants on loopback, until Ctrl-C
	@exec $(BIN)/opsroom demo

browser: $(VENV)/.dev
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh tests/browser/get_chromium.sh

test: $(VENV)/.dev browser  ## lint, types and every test, browser tests included
	$(MAKE) --no-print-directory -j 2 --output-sync=target compiled lint types
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not long" $(PYTEST_ARGS)

test-long: WORKERS := 3
test-long: $(VENV)/.dev browser compiled  ## kills, fuzz, the long story, and every property with many more examples
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "long or hypothesis" --hypothesis-profile many \
	  --timeout 1200 $(PYTEST_ARGS)

explore: $(VENV)/.dev browser compiled  ## every property with examples that no run has had yet; what is found becomes an @example
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m hypothesis --hypothesis-profile new --timeout 1200 $(PYTEST_ARGS)

compiled: $(VENV)/.run  ## what a room compiles: once, and not in each worker's first test or at a room's first start
	@$(BIN)/python -m opsroom.ready beside & beside=$$!; $(BIN)/python -m cyberstride.lanes && wait $$beside
	@$(BIN)/python -m opsroom.ready

$(VENV)-fuzz/.run: $(VENV)/.dev requirements-fuzz.lock
	$(PYTHON) -m venv $(VENV)-fuzz
	$(VENV)-fuzz/bin/python -m pip install --quiet --require-hashes -r requirements-fuzz.lock
	$(BIN)/python -c 'import site; print(site.getsitepackages()[0]); print("$(CURDIR)")' \
	  > "$$($(VENV)-fuzz/bin/python -c 'import site; print(site.getsitepackages()[0])')/room.pth"
	touch $@

fuzz: $(VENV)-fuzz/.run  ## coverage-guided fuzzing of the wire for SECONDS (600) or CASES (10 million)
	$(VENV)-fuzz/bin/python -m tests.fuzz.guided .fuzz-corpus -runs=$(or $(CASES),10000000) \
	  -max_total_time=$(or $(SECONDS),600) -max_len=400 -artifact_prefix=.fuzz-corpus/broke-

lint: $(VENV)/.dev  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.dev  ## let ruff put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/.dev  ## mypy, strict
	$(BIN)/mypy

bench: $(VENV)/.dev  ## delay and load of the running room, on this machine
	$(BIN)/opsroom bench ingest

bench-filter: $(VENV)/.dev  ## speed of the filter beside other libraries, JSON=file
	$(BIN)/python -m benchmarks.filter_speed $(JSON)

bench-detect: $(VENV)/.dev  ## public benchmarks through opsroom detect, DATA=folder, JSON=file
	$(BIN)/python -m benchmarks.detect $(DATA) $(if $(JSON),--json $(JSON))

bench-effects: $(VENV)/.dev  ## 500 interventions with known effect, beside two common ways to reckon it
	$(BIN)/python -m benchmarks.effects $(if $(JSON),--json $(JSON))

bench-truth: $(VENV)/.dev  ## labelled troubles, the alarm budget and the forecasts' coverage, on simulations
	$(BIN)/python -m benchmarks.labelled
	$(BIN)/python -m benchmarks.trimble
	$(BIN)/python -m benchmarks.budget
	$(BIN)/python -m benchmarks.forecasts

lock:  ## renew the lock files (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  pyproject.toml --all-extras --group dev -o requirements-dev.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  -c requirements-dev.lock pyproject.toml --group build -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --group pyproject.toml:fuzz -o requirements-fuzz.lock

clean:  ## remove the environment and what the tools left
	rm -rf $(VENV) $(VENV)-fuzz .fuzz-corpus .pytest_cache .mypy_cache .ruff_cache .hypothesis
