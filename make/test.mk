PYTEST := $(PYTHON) -m pytest
# Modules and rewritten tests are compiled once, not at each start of each worker: a third of the work of the unit tests.
unexport PYTHONDONTWRITEBYTECODE

# Every script of a shell, wherever it lies: those that say so in their first line.
SHELL_SCRIPTS = $(shell git grep -lIE '^\#!.*[/ ](ba|da)?sh\b' -- . ':!*.py' ':!*.md')
DOCKERFILES = $(shell git ls-files '*Dockerfile*')

.PHONY: check
check: setup ## Lint (Python, shell, Dockerfiles), types, layers, vulnerabilities
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports --no-logo
	.venv/bin/shellcheck $(SHELL_SCRIPTS)
	.venv/bin/hadolint $(DOCKERFILES)
	.venv/bin/pre-commit validate-config
	.venv/bin/check-jsonschema --builtin-schema vendor.renovate renovate.json
	$(PYTHON) -m session_devtools.audit

.PHONY: fix
fix: setup ## Let ruff fix what it can
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

.PHONY: hooks
hooks: setup ## Let git check each commit and push (.pre-commit-config.yaml)
	.venv/bin/pre-commit install

.PHONY: test-unit
test-unit: setup ## The fast tests (under a minute, no root, no network)
	$(PYTEST) tests/unit local-cluster/tests/unit -n 2 -m 'not slow'

.PHONY: test-slow
test-slow: setup ## Those beside them that take long: storms, a crash at each request, costs, terminals, wheels
	$(PYTEST) tests/unit -n 2 -m slow

# The tests of the pure packages alone, with few examples for each property: counting lines makes them twice as slow.
.PHONY: coverage
coverage: setup ## Fail if the pure packages are tried in fewer branches than pyproject.toml demands
	$(PYTEST) tests/unit/api tests/unit/core tests/unit/protocol tests/unit/runner tests/unit/test_bounds.py -n 2 \
	  -m 'not slow' --hypothesis-profile coverage --cov --cov-report term

.PHONY: test-integration
test-integration: programs ## API, operator, plugin and provisioner against a real API server, the runner against its contract
	$(PYTEST) tests/integration local-cluster/tests/integration --ignore tests/integration/plugin -n 2
	$(PYTEST) tests/integration/plugin -n 2  # a cluster of its own: it holds what a person without rights is told

# The order is from quick to slow, so that a fault is seen early; each part is a target of its own.
PARTS := check test-unit test-slow coverage verify test-integration test-manifests test-runner test-cluster test-e2e

.PHONY: test
test: browser ## Everything: sets up what is missing, then runs all tests (as root on Debian)
	@scripts/test-all $(PARTS)
