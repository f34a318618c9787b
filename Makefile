# Everything goes through two commands: `make run` to try it, `make test` to check it.
#   make run  PORT=8001 INSTANCE=/tmp/second    serve on another port, keep the data in another folder

.DEFAULT_GOAL := help
.PHONY: help run test bench lint format screenshots permissions install install-dev

PYTHON ?= $(shell for candidate in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$candidate && break; done)

help:
	@echo 'make run      install, migrate, load the demo and serve http://127.0.0.1:8000 (PORT, INSTANCE)'
	@echo 'make test     install what the tests need and run all checks and tests'
	@echo 'make bench    measure how fast it is, half an hour on two idle cores (SIZE=small: a look in 3 minutes)'
	@echo 'make lint     only the checks: ruff, mypy, djlint, import-linter'
	@echo 'make screenshots   take the pictures in docs/images again'
	@echo 'make permissions   write docs/permissions.md again, after a change of rights on purpose'
	@echo 'make format   let ruff put the Python files into their form'

run: install
	@exec .venv/bin/python scripts/run.py

test: install-dev
	@scripts/install-test-tools
	@exec scripts/test

bench: install-dev
	@scripts/install-test-tools
	@exec .venv/bin/python -m benchmarks --size $(or $(SIZE),full)

lint: install-dev
	@exec scripts/test --lint

permissions: install-dev
	@PYTHONPATH=. .venv/bin/python scripts/permissions.py

screenshots: install-dev
	@scripts/install-test-tools
	@.venv/bin/python scripts/screenshots.py

format: install-dev
	@.venv/bin/ruff check --fix --quiet .; .venv/bin/ruff format --quiet .

install install-dev:
	@test -n "$(PYTHON)" || { echo 'Python 3.11 or newer is needed; set PYTHON=/path/to/python3 if it has another name.' >&2; exit 1; }
	@$(PYTHON) scripts/install.py $(if $(filter install-dev,$@),requirements-dev.txt,requirements.txt)
