.PHONY: test-cluster
test-cluster: setup ## The local cluster's own tests (light mode as any user, the rest as root on Debian)
	$(PYTEST) tests/cluster
