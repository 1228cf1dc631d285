# Two commands are all a newcomer needs: `make demo` and `make test`. Each does its own set-up.
SHELL := /bin/bash
# Every worker of a test run would prepare every test anew.
export PYTHONDONTWRITEBYTECODE :=
PYTHON ?= python3
BIN := .venv/bin
WHEEL_ENV := build/wheel-env
PYTEST := $(WHEEL_ENV)/bin/python -m pytest
# Cluster tests wait more than they compute: more workers than cores.
WORKERS ?= 8
FAST_WORKERS ?= 6
FAST := tests/core tests/contract tests/protocol tests/packaging tests/sandbox tests/structure
# One test at a time is handed out, in the order of collection, which has the longest first; what
# fails is run once more, alone.
TOGETHER := -n $(WORKERS) --dist load --maxschedchunk 1 -p tests.running.again
SHARED := not exclusive and not owner_tools and not sandbox_lifecycle

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast test-all test-owners test-versions check format lock sandbox-up sandbox-down wheel bench clean transcript

help:
	@echo "make demo          a broken rollout on a real cluster, and the way back"
	@echo "make test-fast     static checks, core and contract tests: no root, no cluster, 2 minutes"
	@echo "make test          test-fast, then the cluster tests: 15 minutes"
	@echo "make test-all      test, every case of every rule, and test-owners: before a release"
	@echo "make test-owners   what we say of other tools, with those tools: Argo CD, Flux, Helm ..."
	@echo "make test-versions the cluster tests on the newest Kubernetes: before a release"
	@echo "make check         static checks only"
	@echo "make sandbox-up    start the cluster; make sandbox-down stops it and cleans up"
	@echo "make bench         measure, and put the table into docs/benchmarks.md"
	@echo "make transcript    run the demo and put its transcript into docs/demo.md"
	@echo "make lock          resolve the dependencies again"

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
	scripts/words

format: .venv/.ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test-fast: check $(WHEEL_ENV)/.ready
	$(PYTEST) -n $(FAST_WORKERS) --dist worksteal $(FAST) \
		-m "not every_case and not slow and not sandbox_lifecycle"

# What is most likely to fail comes last, so that its summary does: whatever is flaky stands there.
test: test-fast
	$(PYTEST) -n $(FAST_WORKERS) --dist worksteal $(FAST) tests/running -m "slow and not every_case"
	$(PYTHON) -m sandbox up
	$(PYTEST) tests/sandbox -m "sandbox_lifecycle and not every_case"
	$(PYTEST) tests/cluster -m "exclusive and not every_case"
	$(PYTEST) $(TOGETHER) tests/cluster -m "$(SHARED) and not every_case"

test-all: test
	$(PYTEST) tests/sandbox -m "sandbox_lifecycle and every_case"
	$(PYTEST) tests/cluster -m "exclusive and every_case"
	$(PYTEST) $(TOGETHER) tests -m "$(SHARED) and every_case"
	$(MAKE) test-owners

# Apart from the others: the tools are built first, 25 minutes where Go's cache is cold.
test-owners: $(WHEEL_ENV)/.ready
	$(PYTHON) -m sandbox up
	$(WHEEL_ENV)/bin/python -m tests.cluster.owner_programs
	$(PYTEST) tests/cluster -m owner_tools

# The cluster tests on the newest Kubernetes that there is a module file for; then back again.
NEWEST := 1.37
test-versions: $(WHEEL_ENV)/.ready
	BACKOUT_SANDBOX_KUBERNETES=$(NEWEST) $(PYTHON) -m sandbox up
	$(PYTEST) $(TOGETHER) tests/cluster -m "$(SHARED) and not every_case"
	$(PYTHON) -m sandbox up

demo: $(WHEEL_ENV)/.ready
	$(PYTHON) -m sandbox up
	@$(WHEEL_ENV)/bin/python -m demo

transcript: $(WHEEL_ENV)/.ready
	$(PYTHON) -m sandbox up
	@$(WHEEL_ENV)/bin/python -m demo --transcript docs/demo.md --excerpt README.md

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
