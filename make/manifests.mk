.PHONY: test-manifests
test-manifests: programs ## Check the manifests: schemas, kube-score, rights, a dry run on a real API server
	@$(PYTHON) -m manifests.checkers
	$(PYTEST) tests/manifests
