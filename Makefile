# Everything a developer needs; `make help` lists it. The only assumption is a python3 with venv and pip.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
SOURCES := app benchmarks devtools drills migrations tests gunicorn.conf.py

# Whoever sets it pays for compiling at every start of every process.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run db test check fmt fuzz drill bench image openapi requirements clean

help: ## List every target
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: $(INSTALLED) ## Serve on http://127.0.0.1:8000 with reload, on a PostgreSQL of its own
	@exec $(BIN)/python -m devtools.run

db: $(INSTALLED) ## Start only that PostgreSQL, migrated, for `uvicorn app.main:app --reload`
	@exec $(BIN)/python -m devtools.run --database-only

test: $(INSTALLED) ## Run all tests, in parallel, with coverage
	@$(BIN)/python -m pytest -n 1 -m soak & soak=$$!; \
	$(BIN)/python -m pytest -n 2 --cov -m "not soak"; tests=$$?; wait $$soak && exit $$tests

check: $(INSTALLED) ## Run everything that CI runs
	@$(BIN)/python -m devtools.check

fmt: $(INSTALLED) ## Format and repair what can be repaired
	@$(BIN)/ruff format $(SOURCES)
	@$(BIN)/ruff check --fix $(SOURCES)

fuzz: $(INSTALLED) ## Try at least 10,000 generated requests against the API
	@$(BIN)/python -m devtools.fuzz --examples 100

drill: $(INSTALLED) ## Break real processes under load, and compare with what is promised
	@$(BIN)/python -m drills

bench: $(INSTALLED) ## Measure beside what one would use instead; writes docs/performance.md
	@$(BIN)/python -m benchmarks.compare

image: $(INSTALLED) ## Build the container image, and run it as production would
	@$(BIN)/python -m devtools.image

openapi: $(INSTALLED) ## Write docs/openapi/*.json, which the tests compare with the API
	@mkdir -p docs/openapi
	@ENVIRONMENT=development PUBLIC_URL= $(BIN)/python -m app openapi v1 > docs/openapi/v1.json
	@ENVIRONMENT=development PUBLIC_URL= $(BIN)/python -m app openapi v2 > docs/openapi/v2.json

requirements: $(INSTALLED) ## Compile requirements/*.txt from *.in; UPGRADE=1 takes newer versions
	@$(BIN)/python -m devtools.requirements $(if $(UPGRADE),--upgrade)

clean: ## Delete the environment, caches and the development database
	@rm -rf .venv var .coverage* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/python3")'
	@echo "Installing requirements/dev.txt into .venv ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@
