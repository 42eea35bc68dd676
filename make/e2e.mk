# `make test` holds the part that was seen green as a whole; the rest is to follow it there, scenario by scenario.
E2E_PROVEN := tests/e2e/test_demo.py tests/e2e/test_start.py tests/e2e/test_pending.py \
	tests/e2e/test_losses.py

.PHONY: test-e2e
test-e2e: setup ## The main job end to end on a real Kubernetes of its own (root on Debian)
	$(PYTEST) $(E2E_PROVEN) -n 0

.PHONY: test-e2e-all
test-e2e-all: setup ## All end-to-end scenarios (half an hour); E2E_KEEP=1 leaves the cluster for looking into
	$(PYTEST) tests/e2e -n 0

.PHONY: e2e-down
e2e-down: setup ## Remove the cluster that E2E_KEEP=1 has left
	@$(PYTHON) -m local_cluster down --name e2e
