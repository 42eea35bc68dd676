PYTEST := $(PYTHON) -m pytest

.PHONY: check
check: setup ## Lint, types and layers
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports --no-logo

.PHONY: fix
fix: setup ## Let ruff mend what it can
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

.PHONY: test-unit
test-unit: setup ## The fast tests (under a minute, no root, no network)
	$(PYTEST) tests/unit -n 2

.PHONY: test
test: check test-unit ## Everything: sets up what is missing, then runs all tests
