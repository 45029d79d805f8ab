# The desk: everything that is done here is a target, and CI calls the same ones. `make help` explains each in a line.

DEFINITION ?= definitions/demo.toml
DATA       ?= .state/demo/leads.csv
IN         ?=
LEADS      ?= 12000
OUT        ?=
SERVE      ?= 1
BUDGET     ?=
ERASED     ?=
MODEL      ?= demo
CLIENT     ?= crm
ROLE       ?= crm

PY      := .venv/bin/python
STAMP   := .venv/.installed
PACKAGES := features training serving
COMPILE := $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
           --no-emit-find-links --no-annotate --no-header
budget  = $(if $(BUDGET),--budget $(BUDGET))
erased  = $(if $(ERASED),--erased '$(ERASED)')

export MLFLOW_DISABLE_TELEMETRY := true
export MLFLOW_TRACKING_URI ?= sqlite:///$(or $(LEAD_STATE),.state)/mlflow.db

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo simulate define horizon backtest train recalibrate due promote rollback versions \
        key serve agreement history report score card mlflow notebooks test test-fast check format lint types imports bench bench-quality lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv and install the locked dependencies into it

$(STAMP): locks/dev.txt
	@python=; for name in $(PYTHON) python3 python3.13 python3.12 python3.11 python3.14; do \
	  if $$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; then python=$$name; break; fi; done; \
	if [ -z "$$python" ]; then echo "Python 3.11 to 3.14 is needed (for later ones there are no packages yet); name it with  make PYTHON=/path/to/python  ..." >&2; exit 1; fi; \
	if [ -L .venv ]; then echo ".venv is a link: setting up would empty what it points to. Remove the link, or run what it points to yourself." >&2; exit 1; fi; \
	echo "Setting up .venv with $$($$python --version); some 150 packages, one to three minutes"; \
	$$python -m venv --clear .venv || { echo "On Debian and Ubuntu:  apt-get install python3-venv" >&2; exit 1; }
	@$(PY) -m pip install --disable-pip-version-check --no-color --progress-bar off --require-hashes -r locks/dev.txt \
	  | awk '/^(Collecting|  Using|  Downloading)/ {fetched += /^Collecting/; printf "\r  %d packages found", fetched; fflush()} \
	         /^Installing/ {printf "\n  installing them\n"; fflush()} /ERROR/ {print}'
	@touch $@

demo: setup ## the whole loop on a simulated history: simulate, train, promote, fill the cockpit, serve, score a lead (SERVE=0 stops then)
	@rm -rf .state/demo
	$(PY) -m training simulate --out .state/demo --leads $(LEADS)
	$(PY) -m training train --definition definitions/demo.toml --data .state/demo/leads.csv $(budget)
	$(PY) -m training promote --definition definitions/demo.toml --who demo
	$(PY) -m training calls --out .state/demo/calls.jsonl
	$(PY) -m serving demo --calls .state/demo/calls.jsonl $(if $(filter 0,$(SERVE)),--once)

simulate: setup ## write a simulated history with known truth to .state/demo (LEADS=12000)
	$(PY) -m training simulate --out .state/demo --leads $(LEADS)

define: setup ## draft a definition from an unknown export (DATA='export*.csv' OUT=lead.toml)
	$(PY) -m training define '$(DATA)' $(if $(OUT),--out '$(OUT)')

horizon: setup ## show when wins come and propose a horizon (DEFINITION=lead.toml DATA='export*.csv')
	$(PY) -m training horizon --definition '$(DEFINITION)' --data '$(DATA)'

backtest: setup ## replay the past month by month into .state/backtest-NAME (DEFINITION= DATA= FIRST=2025-01-01 BUDGET=)
	$(PY) -m training backtest --definition '$(DEFINITION)' --data '$(DATA)' $(if $(FIRST),--first $(FIRST)) $(budget)

train: setup ## train on a history and register the challenger (DEFINITION=lead.toml DATA='export*.csv' BUDGET=seconds ERASED=file)
	$(PY) -m training train --definition '$(DEFINITION)' --data '$(DATA)' $(budget) $(erased)

recalibrate: setup ## give the champion new slopes from recent outcomes, as challenger (DATA= NEWEST=1000 or SINCE=2025-06-01)
	$(PY) -m training recalibrate --definition '$(DEFINITION)' --data '$(DATA)' $(if $(NEWEST),--newest $(NEWEST)) \
	  $(if $(SINCE),--since $(SINCE)) $(erased)

due: setup ## say whether recalibration is due, by outcomes since the champion was made (fails if it is; DEFINITION= DATA=)
	$(PY) -m training due --definition '$(DEFINITION)' --data '$(DATA)'

promote: setup ## make the challenger champion if the gate allows it (VERSION= WHO= OVERRIDE='reason')
	$(PY) -m training promote --definition '$(DEFINITION)' $(if $(VERSION),--version $(VERSION)) $(if $(WHO),--who '$(WHO)') \
	  $(if $(OVERRIDE),--override '$(OVERRIDE)')

rollback: setup ## make an earlier version champion again (TO=version REASON='why')
	$(PY) -m training rollback --definition '$(DEFINITION)' --to $(TO) --reason '$(REASON)' $(if $(WHO),--who '$(WHO)')

versions: setup ## list the registered versions with their aliases and verdicts
	$(PY) -m training versions --definition '$(DEFINITION)'

key: setup ## make an API key and print it, this once (CLIENT=name ROLE=crm|sales|marketing|data EXPIRES_DAYS=)
	$(PY) -m serving keys create --client '$(CLIENT)' --role '$(ROLE)' $(if $(EXPIRES_DAYS),--expires-days $(EXPIRES_DAYS))

# What only reads a store reads the demo's, after make demo and without MODEL; keys and make serve have a store of their own.
demo_scores := $(and $(filter demo,$(MODEL)),$(wildcard .state/demo/scores.db))
from_store = $(if $(demo_scores),LEAD_DATABASE_URL=$${LEAD_DATABASE_URL:-sqlite:///$(demo_scores)}) \
  LEAD_BUNDLE=$${LEAD_BUNDLE:-models:/$(MODEL)@champion}

serve: setup ## start the scoring service on the champion, for those with a key (MODEL=name; settings: docs/en/service.md)
	LEAD_BUNDLE=$${LEAD_BUNDLE:-models:/$(MODEL)@champion} $(PY) -m serving

agreement: setup ## write into a definition file what both teams agreed on in the service (DEFINITION=lead.toml; PRINT=1 prints it)
	$(from_store) $(PY) -m serving agreement --definition '$(DEFINITION)' $(if $(PRINT),,--write)

history: setup ## write what was scored and what became of it, to train on (OUT=history.parquet MODEL=name LATE=1)
	$(from_store) $(PY) -m serving history --out '$(or $(OUT),.state/history.parquet)' \
	  $(if $(LATE),--with-late)

score: setup ## score a file of any size with the champion, with all contributions (IN=leads.parquet OUT=scores.parquet)
	$(PY) -m training score --definition '$(DEFINITION)' --data '$(or $(IN),$(DATA))' --out '$(or $(OUT),.state/scores.csv)'

card: setup ## say where the champion's model card is (DEFINITION=lead.toml)
	$(PY) -m training card --definition '$(DEFINITION)'

mlflow: setup ## open MLflow's pages on the store that MLFLOW_TRACKING_URI names (http://127.0.0.1:5000)
	@case "$$MLFLOW_TRACKING_URI" in \
	  http://*|https://*) echo "MLFLOW_TRACKING_URI names a server; its pages are at $$MLFLOW_TRACKING_URI" ;; \
	  *) $(PY) -m mlflow ui --backend-store-uri "$$MLFLOW_TRACKING_URI" --host 127.0.0.1 --port 5000 ;; esac

report: setup ## write the report for the joint meeting to .state/report: HTML, and PDF where Chromium is installed (FROM=2026-01-01 LAST=2026-03-31 MODEL=name)
	$(from_store) $(PY) -m serving report$(if $(FROM), --from $(FROM))$(if $(LAST), --last $(LAST))

notebooks: setup ## run the notebooks; they stand with their outputs in .state/notebooks
	@mkdir -p .state/notebooks
	@cp notebooks/*.ipynb .state/notebooks/
	$(PY) -c 'from nbclient.cli import main; main()' --inplace .state/notebooks/*.ipynb

test: setup ## set up and run all tests
	$(PY) -m pytest -n 2 --dist loadgroup

test-fast: setup ## the tests that need no server, no training run and no notebook
	$(PY) -m pytest -n 2 --dist loadgroup -m "not slow"

check: setup format lint types imports test-fast ## format, lint, types, import rules, fast tests

format: setup ## format the code
	$(PY) -m ruff format .

lint: setup ## look for mistakes and for formatting that differs
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: setup ## check the types, strictly on the packages
	$(PY) -m mypy

imports: setup ## check which package may import which
	.venv/bin/lint-imports

bench: setup ## measure speed: contributions, one lead, a million leads, the cockpit's pages, each side by side in one run
	$(PY) -m benchmarks.speed

bench-quality: setup ## measure model quality against reference models on real histories (LEAD_DATA=folder)
	$(PY) -m benchmarks.quality

lock: setup ## write the lock files anew from pyproject.toml
	$(COMPILE) pyproject.toml --all-extras -o locks/dev.txt
	$(COMPILE) pyproject.toml --extra serving -c locks/dev.txt -o locks/serving.txt
	$(COMPILE) pyproject.toml --extra serving --extra registry -c locks/dev.txt -o locks/serving-registry.txt
	$(COMPILE) pyproject.toml --extra serving --extra training -c locks/dev.txt -o locks/training.txt
	$(COMPILE) locks/bench.in -c locks/dev.txt -o locks/bench.txt
	$(COMPILE) locks/bench-serving.in -c locks/dev.txt -o locks/bench-serving.txt

clean: ## remove what runs have made: models, stores, caches (not .venv)
	rm -rf .state .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
