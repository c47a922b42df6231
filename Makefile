# Every target does its own set-up inside this folder; `make help` lists them.

PORT   ?= 8080
PYTHON ?= python3
ARGS   ?=
FIRMWARE ?=

VENV   := .venv
BIN    := $(VENV)/bin
STAMPS := .stamps

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.SUFFIXES:
.PHONY: demo test check bench firmware web screenshots lock clean help FORCE

demo: $(STAMPS)/$(if $(FIRMWARE),dev,runtime) web ## Set up and run the control center with a simulated rack (PORT=8080, FIRMWARE=1)
	@exec $(BIN)/loadcenter demo --port $(PORT) $(if $(FIRMWARE),--firmware) $(ARGS)

test: $(STAMPS)/dev web ## Set up and run every test (ARGS="tests/unit -k trip" narrows it)
	@scripts/test.sh $(ARGS)

check: $(STAMPS)/dev ## Lint, format, types, import directions, view types, documentation tests
	@scripts/check.sh

bench: $(STAMPS)/dev web ## Measure every published figure, one after the other
	@scripts/bench.sh

bench-%: $(STAMPS)/dev web FORCE ## Measure one: make bench-NAME runs bench/NAME.py
	@scripts/bench.sh $*

firmware: ## Build the UNO firmware into build/firmware, with a report of flash and RAM
	@$(PYTHON) scripts/firmware.py all

web: $(STAMPS)/runtime ## Build the web view, if its sources changed
	@$(BIN)/python scripts/view.py build

screenshots: $(STAMPS)/dev web ## Take the pictures in docs/screenshots anew
	@$(BIN)/python -m tests.browser.screenshots docs/screenshots

lock: $(VENV)/pyvenv.cfg ## Resolve the locked requirements anew (ARGS=--upgrade takes newer releases)
	@$(BIN)/python scripts/lock.py $(ARGS)

clean: ## Remove everything set-up and builds have made, .venv included
	rm -rf $(VENV) $(STAMPS) web/node_modules src/loadcenter/adapters/web/static dist build test-results
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / {sub(/%/, "NAME", $$1); printf "  make %-12s %s\n", $$1, $$2}' Makefile

FORCE:

$(VENV)/pyvenv.cfg:
	@scripts/venv.sh create "$(PYTHON)"

$(STAMPS)/runtime: $(VENV)/pyvenv.cfg requirements.lock pyproject.toml
	@scripts/venv.sh install requirements.lock
	@mkdir -p $(STAMPS) && touch $@

# The development lock holds the runtime one, at the same versions.
$(STAMPS)/dev: $(VENV)/pyvenv.cfg requirements-dev.lock pyproject.toml
	@scripts/venv.sh install requirements-dev.lock
	@mkdir -p $(STAMPS) && touch $(STAMPS)/runtime $@
