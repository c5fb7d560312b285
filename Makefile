# leerbudget: `make` alone prints what there is. Nothing here needs Docker, and nothing reads standard input.
SHELL := /bin/sh
.DEFAULT_GOAL := help

BIN := .venv/bin
STAMP := .venv/.set-up
ARGS ?=
# Test processes: one more than cores, as tests also wait; at most eight (each has its databases in one shared server).
WORKERS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))
# How often `make soak` repeats the races and the faults at their usual size (tests/scale.py), and the size of its
# last turn: that of a release. RELEASE= leaves the last turn out.
ROUNDS ?= 20
RELEASE ?= SOAK_CLIENTS=500 SOAK_RUSHES=200 SOAK_SHARED_RACES=5000 SOAK_WEB_KILLS=200 SOAK_DATABASE_KILLS=100 \
	SOAK_WORKER_KILLS=100 SOAK_REQUEST_SHAPES=50000 SOAK_STORIES=2400 SOAK_PERMUTATIONS=5040
SOAKED = tests/faults tests/concurrency $$(find tests -name "test_*race*.py")

# A folder that was moved or copied is set up anew: a virtual environment remembers where it was made.
ifneq ($(shell cat $(STAMP) 2>/dev/null),$(CURDIR))
.PHONY: $(STAMP)
endif

.PHONY: help setup demo test check bench soak lock docs image clean

help: ## show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv with everything in it and build the web assets; quick when nothing changed
	@$(BIN)/python scripts/build_assets.py

$(STAMP): requirements.lock pyproject.toml scripts/setup.sh
	@sh scripts/setup.sh
	@echo "$(CURDIR)" > $@

demo: setup ## run the whole story with a fictional Netherlands, then serve it (ARGS="--no-serve --families 500 --seed 7")
	@$(BIN)/leerbudget demo $(ARGS)

test: setup ## run every test, those in a browser included (ARGS="-k ledger" for some)
	@sh scripts/chromium.sh
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -n $(WORKERS) --maxprocesses=8 --dist worksteal $(ARGS)

check: setup ## lint, format, types, import contracts and house rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_tidy.py

bench: setup ## measure and write docs/benchmarks.md (minutes; ARGS=--full: about two hours)
	@$(BIN)/python benchmarks/bookings.py
	@$(BIN)/python benchmarks/matching.py $(ARGS)

soak: setup ## repeat races, faults, random rounds and made-up years until something gives (ROUNDS=20)
	@$(BIN)/python benchmarks/against_exact.py --rounds $$((100 * $(ROUNDS)))
	@for seed in $$(seq 1 $(ROUNDS)); do \
		made=$$(mktemp -d); chmod 755 $$made; echo "year of seed $$seed"; \
		LEERBUDGET_DATA_DIR=$$made/data $(BIN)/leerbudget simulate --families 500 --seed $$seed --faults > $$made/year \
			|| { cat $$made/year; exit 1; }; \
		tail -1 $$made/year; rm -rf $$made; \
	done
	@i=1; while [ $$i -le $(ROUNDS) ]; do \
		echo "round $$i of $(ROUNDS)"; \
		$(BIN)/python -m pytest -q -p no:cacheprovider $(SOAKED) $(ARGS) || exit 1; \
		i=$$((i + 1)); \
	done
	@test -z "$(RELEASE)" || { echo "at the size of a release"; \
		$(RELEASE) $(BIN)/python -m pytest -q -p no:cacheprovider -o faulthandler_timeout=14400 $(SOAKED) \
			tests/entrypoints/api/test_schema.py $$(find tests -name "test_*model*.py") \
			tests/payments/test_facts.py tests/payments/test_own_shares.py $$(find tests -name "test_*orders*.py") $(ARGS); }

lock: setup ## choose versions anew within the bounds of pyproject.toml and write requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
		--python-version 3.11 --group dev --group bench --upgrade pyproject.toml -o requirements.lock

docs: setup ## write the parts of the documentation that come from the code
	@$(BIN)/python scripts/write_docs.py

image: ## build the production image (needs Docker)
	docker build --tag leerbudget .

clean: ## remove what the other targets made, the demonstration's data not included
	rm -rf .venv node_modules dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf src/leerbudget/entrypoints/web/static/built
	find src tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +
