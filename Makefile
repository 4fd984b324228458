# Everything a developer needs; `make help` lists it. The only assumption is a python3 with venv and pip.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin

# If it is set, Python compiles every module at each start of a process.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run db test check fmt fuzz drill bench docs image openapi requirements screenshots dist removal-drill clean

help: ## List every target
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: .venv/.run ## Serve http://127.0.0.1:8000 with reload and its own PostgreSQL
	@exec $(BIN)/python -m devtools.run

db: .venv/.run ## Start only the development PostgreSQL, migrated, for uvicorn app.main:app --reload
	@exec $(BIN)/python -m devtools.run --database-only

test: .venv/.test ## Run all tests, in parallel, with coverage
	@$(BIN)/python -m pytest -n 2 -m no_coverage & others=$$!; \
	$(BIN)/python -m pytest -n 2 --cov -m "not no_coverage and not browser"; tests=$$?; wait $$others && exit $$tests

check: .venv/.dev ## Run everything that CI runs
	@$(BIN)/python -m devtools.check

fmt: .venv/.dev ## Format the code and fix lint errors
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

fuzz: .venv/.dev ## Send at least 10,000 generated requests to the API
	@$(BIN)/python -m devtools.fuzz --examples 100

drill: .venv/.dev ## Inject failures into real processes under load
	@$(BIN)/python -m drills

bench: .venv/.dev ## Compare the service with its alternatives; writes docs/performance.md
	@$(BIN)/python -m benchmarks.compare

docs: .venv/.dev ## Serve docs/ as a site on http://127.0.0.1:8002
	@$(BIN)/zensical serve --dev-addr 127.0.0.1:8002

image: .venv/.dev ## Build the container image and run it like production
	@$(BIN)/python -m devtools.image

openapi: .venv/.dev ## Write docs/openapi/*.json and docs/access.md, which the tests compare with the API
	@mkdir -p docs/openapi
	@ENVIRONMENT=development PUBLIC_URL= $(BIN)/python -m app openapi v1 > docs/openapi/v1.json
	@ENVIRONMENT=development PUBLIC_URL= $(BIN)/python -m app openapi v2 > docs/openapi/v2.json
	@ENVIRONMENT=development $(BIN)/python -m devtools.access > docs/access.md

requirements: .venv/.dev ## Compile requirements/*.txt from *.in; UPGRADE=1 upgrades
	@$(BIN)/python -m devtools.requirements $(if $(UPGRADE),--upgrade)

screenshots: .venv/.dev ## Write docs/images/, the pictures of the README
	@$(BIN)/python -m devtools.screenshots

dist: .venv/.dev ## Build dist/dayone-*.whl, the tool that makes projects
	@$(BIN)/python -m devtools.dist

removal-drill: .venv/.dev ## Remove each feature, and every pair that shares a file; run all tests each time
	@$(BIN)/python -m devtools.features --all

clean: ## Delete the environment, caches and the development database
	@rm -rf .venv var dist .cache .coverage* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Three levels of one resolution, each a superset of the one before: .venv/.run, .venv/.test and .venv/.dev say which
# is installed. --no-deps, because every file is complete: pip checks hashes and resolves nothing.
.venv/.%: requirements/%.txt | .venv/bin/python
	@echo "Installing $< into .venv ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $< || \
		{ echo "Could not install $<. Without a network, pip says that there is no matching distribution."; exit 1; }
	@$(BIN)/python -m pip check --disable-pip-version-check >.venv/conflicts || \
		{ echo "Warning: some installed packages do not fit together:"; cat .venv/conflicts; }
	@touch $@

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/python3")'
	@$(PYTHON) -m venv .venv
