# pushtrain: `make demo` and `make test` are the two commands; `make help` lists the others.
# Everything that is made lies in .venv/ and .pushtrain/ (PUSHTRAIN_HOME), both git-ignored.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The first python3 that is new enough; PYTHON= overrides.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
ifeq ($(PYTHON),)
$(error pushtrain needs Python 3.11 or newer and found none: install python3.11, or say PYTHON=/path/to/python3)
endif

VENV := .venv
BIN := $(VENV)/bin
LOCAL := PYTHONPATH=plugins $(PYTHON) -m pushtrain.local
VENV_LOCAL := PYTHONPATH=plugins $(BIN)/python -m pushtrain.local
# importing Airflow writes to its home: never to the user's own
PYTEST := AIRFLOW_HOME=$(or $(PUSHTRAIN_HOME),$(CURDIR)/.pushtrain)/pytest-airflow $(BIN)/pytest
# a file of tests at a time for each processor, four at most: TensorFlow holds a GiB in each
SIDE_BY_SIDE := -n auto --maxprocesses 4 --dist loadfile
TYPED := plugins training_images/trainer

##@ The two commands
.PHONY: demo test
demo: ## Everything once, from nothing to published models, shown live
	@$(LOCAL).prepare
	@$(VENV_LOCAL).demo

test: ## The whole suite with its own set-up; ends with a table of where the time went
	@$(LOCAL).stages

##@ Running it
.PHONY: up down status airflow clean
up: ## Start Airflow and watch the model repo (PUSHTRAIN_REPO_URL, else the demo's own)
	@$(LOCAL).prepare
	@$(VENV_LOCAL).standalone up

down: ## Stop Airflow and the mailbox (trainings go on and are adopted by the next `make up`)
	@$(LOCAL).standalone down

status: ## Say what runs
	@$(LOCAL).engine || true
	@$(LOCAL).standalone status

airflow: ## Airflow's command line on the embedded Airflow: make airflow ARGS="dags trigger mlops_train"
	@$(VENV_LOCAL).airflow_cli $(ARGS)

clean: ## Remove what was made: containers, images, .pushtrain/ and .venv/ (not the engine)
	@$(LOCAL).clean

##@ Pieces of the set-up (each does nothing when there is nothing to do)
.PHONY: engine base images venv lock lock-images sklearn-ranges
engine: ## Make sure that a container engine answers
	@$(LOCAL).engine --ensure

base: engine ## Make sure that the base image is there
	@$(LOCAL).base_image

images: engine ## Build the training images (BASE_IMAGE=, GPU=1)
	@$(LOCAL).images

venv: ## Make the virtual environment from the lock files
	@$(LOCAL).python_env

lock: venv ## Pin the requirements*.in anew, with hashes
	@$(LOCAL).python_env --lock

lock-images: venv ## Pin the packages of the training images anew, with hashes
	@PATH="$(CURDIR)/$(BIN):$$PATH" training_images/requirements/lock.sh

# Sees the scikit-learn of the image, after `make lock-images` brought a new one.
sklearn-ranges: venv images ## Write anew what scikit-learn allows for its arguments
	@. <($(VENV_LOCAL).images --print); new=$$(mktemp); \
	docker run --rm -i --network none --entrypoint python "$$PUSHTRAIN_IMAGE_SKLEARN" - \
	  < training_images/requirements/sklearn_ranges.py > "$$new"; \
	cat "$$new" > plugins/pushtrain/analysis/sklearn_ranges.py; rm "$$new"

##@ Checks
.PHONY: check lint unit dags trainer integration browser system
check: venv lint unit dags ## Lint, types, unit tests, DAG integrity: no containers, one to two minutes

lint: venv ## Lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(TYPED)

unit: venv ## Unit tests
	$(PYTEST) tests/unit $(SIDE_BY_SIDE) $(PYTEST_ARGS)

dags: venv ## DAG integrity tests
	$(PYTEST) tests/dags $(PYTEST_ARGS)

trainer: venv images ## Tests of the package inside the images
	$(PYTEST) tests/trainer $(SIDE_BY_SIDE) $(PYTEST_ARGS)

integration: venv images ## Tests with real containers
	$(PYTEST) tests/integration $(PYTEST_ARGS)

browser: ## Install Chromium for the test of Airflow's UI where none is there
	@$(LOCAL).browser

system: venv images browser ## Tests with real Airflow, real containers and a real browser
	$(PYTEST) tests/system $(PYTEST_ARGS)

##@ Chaos
# --- begin: chaos (CHAOS_KILLS=30, CHAOS_SEED=, CHAOS_ONLY=part of a name, CHAOS_SHORT=1,
# CHAOS_TABLE="a.json b.json": one table of several runs, whose files they name at their end) ---
.PHONY: chaos
chaos: venv images ## Kill everything, at random instants, and print what came of it (CHAOS_KILLS=, CHAOS_ONLY=)
	@AIRFLOW_HOME=$(or $(PUSHTRAIN_HOME),$(CURDIR)/.pushtrain)/pytest-airflow \
	  PYTHONPATH=plugins:. $(BIN)/python -m tests.chaos $(if $(filter 1,$(CHAOS_SHORT)),--short) \
	  $(if $(CHAOS_KILLS),--kills $(CHAOS_KILLS)) $(if $(CHAOS_SEED),--seed $(CHAOS_SEED)) \
	  $(if $(CHAOS_ONLY),--only "$(CHAOS_ONLY)") \
	  $(if $(CHAOS_TABLE),--table $(CHAOS_TABLE)) $(CHAOS_ARGS)
# --- end ---

##@ Compose set-up
# --- begin: docker-compose.airflow.yml (make env, compose-up, compose-demo, compose-down) ---
.PHONY: env compose-up compose-demo compose-down
env: ## Make .env: secrets for the compose set-up (what stands there is kept)
	@$(LOCAL).compose_env

compose-up: ## Start Airflow with Celery, PostgreSQL and Redis by docker compose
	@$(LOCAL).compose up

compose-demo: ## The demo on the compose set-up
	@$(LOCAL).compose demo

compose-down: ## Stop it (VOLUMES=1: and remove its store, repo, database and mails)
	@$(LOCAL).compose down $(if $(filter 1,$(VOLUMES)),--volumes)
# --- end ---

##@ Before a push
.PHONY: inspect tweak
inspect: venv ## What a script is and what its rounds may change: make inspect SCRIPT=model_src/cnn_digits.py
	@$(BIN)/python -m pushtrain inspect $(SCRIPT)

tweak: venv ## The diff that its next round would make: make tweak SCRIPT=... (STRATEGY=auto)
	@$(BIN)/python -m pushtrain tweak $(SCRIPT) --strategy $(or $(STRATEGY),auto)

##@ Measurements
# --- begin: bench-overhead, screenshots ---
.PHONY: bench-overhead
bench-overhead: venv images ## Time of a round beside its training, against as many empty tasks
	@$(VENV_LOCAL).bench_overhead

.PHONY: bench-recovery
bench-recovery: venv images ## Seconds from a killed container to its next batch, step by step (BENCH_KILLS=5)
	@$(VENV_LOCAL).bench_recovery

.PHONY: bench-inspect
bench-inspect: venv ## Time and memory of `inspect` on 1,000 lines in a repo of 500 files
	@PYTHONPATH=plugins:. $(BIN)/python -m tests.benches.inspection.bench

.PHONY: bench-tweak
bench-tweak: venv ## Training seconds to a target: our strategies and KerasTuner's (BENCH_SEEDS=, BENCH_TASKS=)
	@$(VENV_LOCAL).bench_tweak

.PHONY: bench-reach
bench-reach: venv ## How much of public scripts is understood (PUSHTRAIN_CORPUS=clones, REACH_RUN=60 to train)
	@PYTHONPATH=plugins:. $(BIN)/python -m tests.benches.reach.bench $(if $(REACH_RUN),--run $(REACH_RUN))

.PHONY: bench-page
bench-page: venv ## Milliseconds of the page at the server, 1,000 experiments and 10,000 rounds
	@AIRFLOW_HOME=$(or $(PUSHTRAIN_HOME),$(CURDIR)/.pushtrain)/pytest-airflow \
	  PYTHONPATH=plugins:. $(BIN)/python -m tests.benches.page

.PHONY: bench-checkpoint
bench-checkpoint: venv images ## Cost of checkpoints and heartbeat beside plain fit (BENCH_PAIRS=, BENCH_ONLY=)
	@. <($(VENV_LOCAL).images --print); export PUSHTRAIN_IMAGE_ANN; \
	$(BIN)/python tests/benches/checkpoint.py

.PHONY: screenshots
screenshots: venv browser ## Take the README's pictures from the last demo (docs/images)
	@PYTHONPATH=plugins:. $(BIN)/python -m tests.system.screenshots

# --- end ---

##@ Help
.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
