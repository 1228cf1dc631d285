# Two commands are all a newcomer needs: `make demo` and `make test`. Each does its own set-up.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
WHEEL_ENV := build/wheel-env
# Cluster tests wait more than they compute: more workers than cores.
WORKERS ?= 4

.DEFAULT_GOAL := help
.PHONY: help demo test test-owners check format lock sandbox-up sandbox-down wheel bench clean transcript

help:
	@echo "make demo          a broken rollout on a real cluster, and the way back"
	@echo "make test          everything: static checks, unit, contract and cluster tests"
	@echo "make test-owners   what we say of other tools, with those tools: Argo CD, Flux, Helm ..."
	@echo "make check         static checks only"
	@echo "make sandbox-up    start the cluster; make sandbox-down stops it and cleans up"
	@echo "make bench         measure, and put the table into docs/benchmarks.md"
	@echo "make transcript    run the demo and put its transcript into README.md"
	@echo "make lock          resolve the dependencies anew"

.venv/.ready: requirements/dev.txt scripts/environment
	@scripts/environment .venv requirements/dev.txt
	@touch $@

# The tests run the wheel, not the sources: what is not packaged is found missing here.
$(WHEEL_ENV)/.ready: requirements/test.txt pyproject.toml README.md LICENSE scripts/environment .venv/.ready $(shell find src -type f -not -name '*.pyc')
	@scripts/environment $(WHEEL_ENV) requirements/test.txt
	@rm -rf build/wheel && $(BIN)/python -m hatchling build -t wheel -d build/wheel >/dev/null 2>&1
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(WHEEL_ENV)/bin/python --no-deps --reinstall build/wheel/*.whl
	@touch $@

wheel: $(WHEEL_ENV)/.ready

check: .venv/.ready
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	PYTHONPATH=src $(BIN)/lint-imports --no-cache
	scripts/seam

format: .venv/.ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: check $(WHEEL_ENV)/.ready
	$(PYTHON) -m sandbox up
	$(WHEEL_ENV)/bin/python -m pytest -n $(WORKERS) --dist worksteal -m "not exclusive and not owner_tools and not sandbox_lifecycle"
	$(WHEEL_ENV)/bin/python -m pytest -m exclusive
	$(WHEEL_ENV)/bin/python -m pytest -m sandbox_lifecycle

# Apart from the others: the tools are built first, 25 minutes where Go's cache is cold.
test-owners: $(WHEEL_ENV)/.ready
	$(PYTHON) -m sandbox up
	$(WHEEL_ENV)/bin/python -m tests.cluster.owner_programs
	$(WHEEL_ENV)/bin/python -m pytest -m owner_tools

demo: $(WHEEL_ENV)/.ready
	$(PYTHON) -m sandbox up
	@$(WHEEL_ENV)/bin/python -m demo

transcript: $(WHEEL_ENV)/.ready
	$(PYTHON) -m sandbox up
	@$(WHEEL_ENV)/bin/python -m demo --transcript README.md

bench: $(WHEEL_ENV)/.ready
	$(PYTHON) -m sandbox up
	$(WHEEL_ENV)/bin/python -m bench --write docs/benchmarks.md
	$(WHEEL_ENV)/bin/python -m bench.verdicts --write docs/benchmarks.md

sandbox-up:
	$(PYTHON) -m sandbox up

sandbox-down:
	$(PYTHON) -m sandbox down

lock: .venv/.ready
	scripts/lock $(BIN)/uv
	$(MAKE) wheel
	$(WHEEL_ENV)/bin/python scripts/licences > docs/licences.md

clean:
	rm -rf .venv build dist
