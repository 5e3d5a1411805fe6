# Each word sets .venv up first where that is needed; see scripts/setup.sh.
.DEFAULT_GOAL := help
.PHONY: help setup demo test fuzz test-live check image-check parity run lock compose-check

PY := .venv/bin/python

help: ## show these words
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo 'ARGS="…" is passed on by demo, test and run;  PYTHON=python3.12 picks the interpreter for .venv'

setup: ## make .venv and install the locked packages into it
	@sh scripts/setup.sh

demo: setup ## one whole rehearsed phone call, shown turn by turn; needs no account
	@.venv/bin/parley demo $(ARGS)

test: setup ## the whole test suite
	@$(PY) -m pytest -n 3 --dist loadfile $(ARGS)

fuzz: setup ## ten minutes of made-up requests to the API, other ones each time (FUZZ_SECONDS=600)
	@FUZZ_SECONDS=$(or $(FUZZ_SECONDS),600) $(PY) -m pytest tests/e2e/test_schema.py $(ARGS)

image-check: setup ## run the steps that build the container image; needs no engine
	@$(PY) -m pytest -m image $(ARGS)

check: setup ## format, lint, types and the direction of imports
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy -p app
	.venv/bin/lint-imports

test-live: setup ## talk to OpenAI for real (OPENAI_API_KEY in the environment; costs a few cents)
	@$(PY) -m pytest tests/live --live -rs $(ARGS)

parity: setup ## what the reference systems can do, row by row, with the test that shows it
	@$(PY) -m tests.parity.report $(ARGS)

run: setup ## start the server (with its own database unless DATABASE_URL is set)
	@.venv/bin/parley serve $(ARGS)

lock: ## pin the newest versions that pyproject.toml allows
	@sh scripts/lock.sh

compose-check: ## build and start the containers, rehearse one call through them, remove them
	@sh docker/compose-check.sh
