PYTEST := $(PYTHON) -m pytest
PYTEST_TWICE := scripts/test-twice $(PYTEST)
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

# Properties are tried with few examples here, and with all of them among the slow ones: see conftest.py.
FAST_TESTS := tests/unit local-cluster/tests/unit -n 2 -m 'not slow' --hypothesis-profile few

.PHONY: test-unit
test-unit: setup ## The fast tests (under a minute, no root, no network)
	$(PYTEST) $(FAST_TESTS)

.PHONY: test-slow
test-slow: setup ## The unit tests that take long: properties with all examples, storms, simulated days, costs, programs, wheels
	$(PYTEST_TWICE) tests/unit local-cluster/tests/unit -n 2 --dist worksteal -m 'slow or hypothesis'

.PHONY: coverage
coverage: setup ## The fast tests; fails if they try the pure packages in fewer branches than pyproject.toml demands
	$(PYTEST_TWICE) $(FAST_TESTS) --cov --cov-report term

.PHONY: test-integration
test-integration: programs ## API, operator, plugin and provisioner against a real API server, the runner against its contract
	$(PYTEST_TWICE) tests/integration local-cluster/tests/integration --ignore tests/integration/plugin -n 5 --dist loadgroup  # most of the time is waiting
	$(PYTEST_TWICE) tests/integration/plugin -n 2 --dist loadgroup  # a cluster of its own: it holds what a person without rights is told

# The order is from quick to slow, so that a fault is seen early; each part is a target of its own.
# The fast tests run as `coverage`, once.
PARTS := check coverage test-slow verify test-integration test-manifests test-runner test-cluster test-e2e

.PHONY: test
test: browser ## Everything: sets up what is missing, then runs all tests (as root on Debian)
	@scripts/test-all $(PARTS)
