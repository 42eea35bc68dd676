.PHONY: test-e2e
test-e2e: programs ## The main job end to end on a real Kubernetes of its own (root on Debian, a quarter of an hour); E2E_KEEP=1 leaves the cluster for looking into
	$(PYTEST) tests/e2e -n 0

.PHONY: e2e-down
e2e-down: setup ## Remove the cluster that E2E_KEEP=1 has left
	@$(PYTHON) -m local_cluster down --name e2e
