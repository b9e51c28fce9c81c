# `make run` and `make test` do all their own set-up; packaging/setup.sh says how. ARGS="…" is passed on.
VENV ?= .venv
PY := $(VENV)/bin/python
ARGS ?=
export VENV

.PHONY: help run test soak bench lint types ci package screenshots lock clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*## /\t/'

run: ## open the demo market (without a screen: offscreen until a candle moves, with a screenshot)
	@packaging/setup.sh run
	@packaging/run_demo.sh $(ARGS)

test: ## run the whole test suite
	@packaging/setup.sh test
	@QT_QPA_PLATFORM=offscreen $(PY) -m pytest -m "not soak" $(ARGS)

soak: ## run the long checks
	@packaging/setup.sh test
	@QT_QPA_PLATFORM=offscreen $(PY) -m pytest -m soak $(ARGS)

bench: ## run every benchmark
	@packaging/setup.sh test
	@set -e; for file in benchmarks/[a-z]*.py; do echo "== $$file"; QT_QPA_PLATFORM=offscreen $(PY) $$file $(ARGS); done

lint: ## ruff: rules and format
	@packaging/setup.sh test
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

types: ## mypy, strict
	@packaging/setup.sh test
	@$(PY) -m mypy

ci: ## what the continuous integration runs
	@.ci/run

package: ## freeze the application into dist/candelabra and prove that it starts
	@packaging/setup.sh package
	@$(PY) -m PyInstaller --noconfirm --log-level WARN build.spec
	@$(PY) packaging/smoke_test.py dist/candelabra

screenshots: ## take the pictures of the documentation anew
	@packaging/setup.sh test
	@$(PY) packaging/make_screenshots.py $(ARGS)

lock: ## renew both requirement files from pyproject.toml (ARGS=--upgrade for newer versions)
	@packaging/setup.sh test
	@packaging/lock.sh $(ARGS)

clean: ## remove everything that can be made again
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
