# Needs Python >= 3.11 (with venv), git and make. Everything else comes into .venv, from hashed files.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.complete

PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
LOCK := $(BIN)/uv pip compile --quiet --no-config --no-cache --no-strip-extras --universal --python-version 3.11 \
	--generate-hashes --custom-compile-command "make requirements"
# The hashes are the public index's, of every platform's files, whatever this machine is told to ask.
unexport UV_DEFAULT_INDEX UV_EXTRA_INDEX_URL UV_FIND_LINKS UV_INDEX UV_INDEX_URL

.DELETE_ON_ERROR:
.PHONY: help demo test check image-test bench bench-plan fuzz soak requirements clean

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

demo: $(STAMP)  ## Run the whole pipeline, offline, on a small fleet, and show what became of it
	$(BIN)/repomill demo --folder .demo

test: $(STAMP)  ## Run the tests; less than 95 % branch coverage fails
	$(BIN)/python -m pytest -n auto --cov

check: $(STAMP)  ## Lint, check the format, the types, the imports and the dependencies
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/deptry .

image-test: $(STAMP)  ## Build the container image, with Docker or as root with buildah, and test it
	$(BIN)/python -m pytest -m image -n 0 --timeout 900 tests/image

bench: $(STAMP)  ## Measure a run against its floor and gitingest; writes docs/benchmarks.md
	$(BIN)/python -m bench.fleet $(BENCH)

bench-plan: $(STAMP)  ## Measure how long a run takes to find out what has changed, of a million
	$(BIN)/python -m bench.plan $(BENCH)

soak: $(STAMP)  ## Kill every process of runs at random moments; run thousands of repositories
	$(BIN)/python -m pytest -m soak -n 0 -p no:randomly --timeout 3600 tests/soak

fuzz: $(STAMP)  ## Fuzz the readers of manifests, ten minutes each; FUZZ="--seconds 60 OWNER/NAME.git …"
	$(PIP) install --quiet --require-hashes --only-binary :all: -r requirements/fuzz.txt
	$(BIN)/python -m bench.fuzz $(FUZZ)

requirements: $(STAMP)  ## Write the hashed requirements anew from pyproject.toml (UPGRADE=1: newest versions)
	$(LOCK) $(if $(UPGRADE),--upgrade) pyproject.toml --extra demo --group dev -o requirements/dev.txt
	$(LOCK) $(if $(UPGRADE),--upgrade) pyproject.toml --constraint requirements/dev.txt -o container/requirements.txt
	$(LOCK) $(if $(UPGRADE),--upgrade) --group build --constraint requirements/dev.txt -o container/build-requirements.txt
	$(LOCK) $(if $(UPGRADE),--upgrade) --group fuzz --constraint requirements/dev.txt -o requirements/fuzz.txt

clean:  ## Remove everything that make has made
	rm -rf $(VENV) .demo .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .fuzz
	find src tests container -name __pycache__ -type d -prune -exec rm -rf {} +

# Wheels only: building a source distribution would fetch its build tools without hashes.
$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "repomill needs Python 3.11 or newer, and $(PYTHON) is not; try: make PYTHON=python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --require-hashes --only-binary :all: -r requirements/dev.txt
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
