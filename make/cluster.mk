CLUSTER_NAME ?= demo

.PHONY: cluster-up
cluster-up: setup ## A real single-node Kubernetes on this machine (root on Debian); again: heals it
	@$(PYTHON) -m local_cluster up --name $(CLUSTER_NAME)

.PHONY: cluster-down
cluster-down: setup ## Remove that Kubernetes with everything it made
	@$(PYTHON) -m local_cluster down --name $(CLUSTER_NAME)

.PHONY: cluster-status
cluster-status: setup ## Show what runs of it
	@$(PYTHON) -m local_cluster status --name $(CLUSTER_NAME)

.PHONY: kubeconfig
kubeconfig: ## Print the path of its kubeconfig (with make -s: nothing else)
	@scripts/bootstrap >&2
	@$(PYTHON) -m local_cluster kubeconfig --name $(CLUSTER_NAME)

.PHONY: test-cluster
test-cluster: setup ## The local cluster's own tests (light mode as any user, the rest as root on Debian)
	$(PYTEST) local-cluster/tests/cluster
