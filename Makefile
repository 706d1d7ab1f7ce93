# meshforensics: `make report` and `make test` do all their set-up by themselves.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CAPTURE ?= captures/ca-rotation
OUT ?= report
CAPTURES ?= captures
LAB ?= out/lab
LOG := $(VENV)/pytest.log
# Where no bytecode may be written, each of the program's many starts in the tests would compile it anew.
unexport PYTHONDONTWRITEBYTECODE

# uv, where it is there, needs a fifth of pip's time.
define install
{ command -v uv > /dev/null && uv pip install --python $(BIN)/python --compile-bytecode --quiet --require-hashes -r $(1); } \
  || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1)
endef

.DEFAULT_GOAL := help
.PHONY: help report test lint types tests lock wheel docs corpus-page notebooks lab-matrix lab-captures clean

help: ## Say what there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | column -t -s "$$(printf '\t')"

# What a user needs: the locked dependencies, and the package as a link into this checkout.
$(VENV)/.run: requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("meshforensics needs Python 3.11 or newer; set PYTHON=…" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(call install,requirements.txt)
	$(BIN)/python tools/link_checkout.py
	@touch $@

# What a developer needs besides: linters, types, tests.
$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	$(call install,requirements-dev.txt)
	@touch $@

report: $(VENV)/.run ## Write an incident report about a shipped capture, and print its verdict
	@$(BIN)/meshforensics triage "$(CAPTURE)" --fail-on critical || test $$? -eq 1
	@echo
	@$(BIN)/meshforensics report "$(CAPTURE)" -o "$(OUT)"

# mypy has one core, and some tests wait: beside one another both are done sooner.
test: lint ## Lint, check types and layers, run every test
	@$(MAKE) --no-print-directory -j 2 types tests

lint: $(VENV)/.dev ## Style, form and the layers of the house
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.dev ## mypy --strict
	$(BIN)/mypy

tests: $(VENV)/.dev ## The tests, with coverage; the last line is pytest's own
	@$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n auto --dist loadfile --no-loadscope-reorder | tee $(LOG)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --fail-under=85 > $(LOG).coverage || (tail -n 3 $(LOG).coverage; exit 1)
	@tail -n 1 $(LOG).coverage
	@tail -n 1 $(LOG)

lock: ## Resolve the dependencies anew (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --no-header -q -o requirements.txt
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header -q -o requirements-dev.txt

wheel: $(VENV)/.dev ## Build the wheel into dist/
	$(BIN)/python -m build --wheel --no-isolation

docs: $(VENV)/.dev ## Write the generated parts of docs/ from the declarations
	$(BIN)/python -m tools.generate_docs

corpus-page: $(VENV)/.run ## Say in docs/corpus.md what becomes of every public capture in ../shared/corpus
	$(BIN)/python -m tools.corpus ../shared/corpus > $(VENV)/corpus.md
	mv $(VENV)/corpus.md docs/corpus.md

notebooks: $(VENV)/.run ## Bring the notebooks into their normal form, without outputs
	$(BIN)/python -m meshforensics.report.normal_form notebooks/*.ipynb

lab-matrix: $(VENV)/.dev ## Run every incident of the lab with three seeds, and write docs/lab-matrix.md (more than an hour)
	$(BIN)/python -m tools.lab_matrix --out "$(LAB)/matrix"

lab-captures: $(VENV)/.dev ## Make the shipped captures anew, by the lab, into $(CAPTURES)
	@for incident in ca-rotation upgrade-503 memory-leak healthy; do \
	  rm -rf "$(CAPTURES)/$$incident" "$(CAPTURES)/$$incident.truth.json" && \
	  $(BIN)/meshforensics lab run $$incident --seed 1 --small -o "$(CAPTURES)/$$incident" || exit; done
	@find "$(CAPTURES)" -type f -printf '%s\n' | awk '{ sum += $$1 } END { printf "%.2f MB in %d files\n", sum / 1e6, NR }'

clean: ## Remove what was made
	rm -rf $(VENV) dist report .coverage .coverage.*
