# Every target sets up what it needs in .venv (pinned names, versions and hashes), or says what to install.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
PYTEST := $(BIN)/python -m pytest
export TF_CPP_MIN_LOG_LEVEL ?= 3
# Compiled modules are kept: without them every start is three times slower.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-fast test-browser test-envs fuzz bench bench-faults page lint format lock clean

help:
	@echo "make demo          a report from the bundled example (examples/digits)"
	@echo "make test          the whole suite; browser tests run when a Chromium is found"
	@echo "make test-fast     what needs neither Keras nor a browser (under half a minute)"
	@echo "make test-browser  the browser tests; fails without a Chromium"
	@echo "make test-envs     other Keras versions and backends"
	@echo "make fuzz          mutated input files"
	@echo "make bench         time and memory against the by-hand script"
	@echo "make bench-faults  how well the checks find known faults (FULL=1: all cases, hours)"
	@echo "make page          packs the page's style and script after a change"
	@echo "make lint          ruff and mypy"
	@echo "make lock          renew the pinned requirements (needs uv)"

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
	  { echo "reportgen needs Python 3.11 to 3.13; set one with: make PYTHON=python3.12 ..." >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { echo "the venv module is missing; install it (Debian: apt-get install python3-venv)" >&2; exit 2; }

# One stamp a set of packages: installed once, again when its pins change.
$(VENV)/.demo: requirements/demo.txt pyproject.toml | $(VENV)/bin/python
	$(PIP) install -q --require-hashes -r requirements/demo.txt
	$(PIP) install -q --no-deps --no-build-isolation -e .
	-@$(BIN)/python -m compileall -q -j 2 $(VENV)/lib reportgen >/dev/null 2>&1
	@touch $@

$(VENV)/.test: requirements/test.txt $(VENV)/.demo
	$(PIP) install -q --require-hashes -r requirements/test.txt
	-@$(BIN)/python -m compileall -q -j 2 $(VENV)/lib reportgen >/dev/null 2>&1
	@touch $@

$(VENV)/.lint: requirements/lint.txt $(VENV)/.demo
	$(PIP) install -q --require-hashes -r requirements/lint.txt
	@touch $@

demo: $(VENV)/.demo
	$(BIN)/reportgen demo --output reports/demo

test: $(VENV)/.test
	$(PYTEST) -n auto --dist loadfile -m "not envs" tests

# Folders in which every test needs Keras or a browser; reading them takes two seconds.
WHOLE_BUILDS := e2e envs faults fuzz pipeline
test-fast: $(VENV)/.test
	$(PYTEST) -q -n auto -p no:playwright $(WHOLE_BUILDS:%=--ignore=tests/%) -m "not keras and not browser and not slow and not envs" tests

test-browser: $(VENV)/.test
	@TEST_REQUIRES_BROWSER=1 $(PYTEST) -m browser tests

# Environments that models were trained in: the worker runs there. Keras 3.0 needs TensorFlow 2.16, which ends at Python 3.12.
ENVS := oldest jax tfkeras
.venvs/%/.ready: requirements/envs-%.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] > (3, 12))' || \
	  { echo "test-envs needs Python 3.11 or 3.12; set one with: make PYTHON=python3.12 ..." >&2; exit 2; }
	$(PYTHON) -m venv .venvs/$*
	.venvs/$*/bin/python -m pip --disable-pip-version-check install -q --require-hashes -r $<
	@touch $@

test-envs: $(VENV)/.test $(ENVS:%=.venvs/%/.ready)
	TEST_ENVS=1 $(PYTEST) -m envs tests

fuzz: $(VENV)/.test
	$(BIN)/python -m tests.fuzz.run

bench: $(VENV)/.test
	-@$(BIN)/python -m compileall -q reportgen >/dev/null
	$(BIN)/python tests/benchmarks/bench.py

page: $(VENV)/.test
	$(BIN)/python tests/renderers/pack_page.py

# Trained cases stay in .cache/bench-faults; FULL=1 trains all of them (hours), and a stopped run goes on where it was.
bench-faults: $(VENV)/.test
	nice -n 10 $(BIN)/python tests/benchmarks/bench_faults.py $(if $(FULL),--full --write docs/faults.md,--minutes 20)

lint: $(VENV)/.lint
	$(BIN)/ruff check reportgen tests examples
	$(BIN)/ruff format --check reportgen tests examples
	$(BIN)/mypy

format: $(VENV)/.lint
	$(BIN)/ruff check --fix reportgen tests examples
	$(BIN)/ruff format reportgen tests examples

LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet
lock:
	@command -v uv >/dev/null || { echo "make lock needs uv: python3 -m pip install uv" >&2; exit 2; }
	$(LOCK) pyproject.toml requirements/build.in -o requirements/demo.txt
	$(LOCK) pyproject.toml requirements/build.in --extra test -c requirements/demo.txt -o requirements/test.txt
	$(LOCK) pyproject.toml requirements/build.in --extra lint -c requirements/demo.txt -o requirements/lint.txt
	for name in $(ENVS); do $(LOCK) requirements/envs-$$name.in -o requirements/envs-$$name.txt || exit; done

clean:
	rm -rf $(VENV) .venvs .cache build dist reports
