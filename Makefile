# Everything a newcomer and CI run. Needs Python 3.11 or later and make; sets up the rest in .venv and in the cache.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# The first Python on the PATH that is new enough (a version manager's shim may exist and refuse to run).
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help setup demo wheel test soak lint format bench bench-serving docs lock clean

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(READY)  ## the development environment, from requirements.lock

$(READY): pyproject.toml requirements.lock
	@test -n "$(PYTHON)" || { echo "Clary needs Python 3.11 or later; none was found on the PATH." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check \
		"$$(sed -n 's/^\(uv==[^ ]*\).*/\1/p' requirements.lock)"
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $(READY)

demo: setup  ## train, deploy and predict on this machine, and show what happened
	@$(BIN)/clary demo

wheel: setup  ## Clary with its edge compiled, into dist/ (needs a C compiler; some minutes)
	@$(BIN)/python -m tests.wheel dist

# What is started hundreds of times is compiled once, also where the environment says otherwise. Three workers on two
# cores: a worker waits half of its time for what it has started.
test: export PYTHONDONTWRITEBYTECODE =
test: setup  ## every test but the longest, which are `make soak`'s
	@$(BIN)/python -m tests.environments
	@$(BIN)/pytest -m "not long" -n 3 --dist loadfile --no-loadscope-reorder tests/clients tests/system tests/fuzz tests/contract tests/unit  # the short ones last: all workers end together

soak: setup  ## what takes long: journeys by every SDK, published versions of the script-mode images, hundreds of kills, ten minutes of an endpoint's changes, an hour of fuzzing, two hours of load
	@$(BIN)/pytest tests/soak
	@$(BIN)/pytest -m long
	@$(BIN)/python -m benchmarks.soak --svg docs/soak.svg

lint: setup  ## style, types, layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup  ## put the code into its style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

# REGRESSION=--update takes the ratios of this run for the reference, instead of comparing.
bench: setup  ## measure what docs/performance.md says, and compare ratios with benchmarks/reference.json
	@$(BIN)/python -m tests.environments
	@export BENCH_FIGURES=$$(mktemp); trap 'rm -f $$BENCH_FIGURES' EXIT; \
	missed=0; for each in benchmarks benchmarks.fifty_jobs benchmarks.data benchmarks.transform benchmarks.tuning \
			benchmarks.algorithms benchmarks.gradient_boosting benchmarks.nearest_neighbours benchmarks.pytorch \
			benchmarks.functions benchmarks.registry benchmarks.own_container benchmarks.several_containers \
			benchmarks.api_gateway benchmarks.capture benchmarks.shadow benchmarks.overload \
			benchmarks.request_cost benchmarks.decisions benchmarks.listing benchmarks.object_listing \
			benchmarks.against_moto benchmarks.compiled; do \
		$(BIN)/python -m $$each || missed=1; done; \
	$(BIN)/python -m benchmarks.regression $$BENCH_FIGURES $(REGRESSION) || missed=1; exit $$missed

bench-serving: setup  ## endpoints beside other model servers, in one run (needs wrk)
	@export BENCH_FIGURES=$$(mktemp); trap 'rm -f $$BENCH_FIGURES' EXIT; \
	missed=0; $(BIN)/python -m benchmarks.serving --svg docs/serving.svg || missed=1; \
	$(BIN)/python -m benchmarks.regression $$BENCH_FIGURES $(REGRESSION) || missed=1; exit $$missed

docs: setup  ## write what README and docs take from the code, and check their links
	@$(BIN)/python -m docs

lock: setup  ## resolve the dependencies anew
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --group dev pyproject.toml --output-file requirements.lock
	@for e in tests/clients/environments/*.in; do \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header $$e --output-file $${e%.in}.txt; done
	@if command -v npm >/dev/null; then cd tests/clients/javascript; rm -f package-lock.json; \
		npm install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund >/dev/null; fi
	@for each in benchmarks/serving/environments/*.in; do \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes --no-annotate --no-header \
			--override benchmarks/serving/environments/overrides.txt $$each --output-file $${each%.in}.txt; done
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		benchmarks/environments/moto.in --output-file benchmarks/environments/moto.txt

clean:  ## remove the development environment
	@rm -rf .venv
