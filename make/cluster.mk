CLUSTER_NAME ?= demo
# KUBERNETES_VERSION=1.37 takes another release than the default; KUBERNETES_RELEASES=URL takes the official programs from
# a server laid out as https://dl.k8s.io instead of compiling them.
export KUBERNETES_VERSION KUBERNETES_RELEASES
# NETWORK_POLICIES=1 has NetworkPolicy objects enforced, 0 no longer; without it `cluster-up` leaves that as it is.
NETWORK_POLICIES ?=
POLICIES := $(if $(NETWORK_POLICIES),--$(if $(filter 0 no off false,$(NETWORK_POLICIES)),no-)network-policies)

.PHONY: programs
programs: setup ## Compile the API server that tests start (minutes, once): before them, so that none of them waits for it
	@$(PYTHON) -m local_cluster programs

.PHONY: cluster-up
cluster-up: setup ## Bring up a single-node Kubernetes on this machine, or mend it (root on Debian)
	@$(PYTHON) -m local_cluster up --name $(CLUSTER_NAME) $(POLICIES)

.PHONY: cluster-down
cluster-down: setup ## Remove the Kubernetes of cluster-up with everything it made
	@$(PYTHON) -m local_cluster down --name $(CLUSTER_NAME)

.PHONY: cluster-status
cluster-status: setup ## Show what runs of the Kubernetes of cluster-up
	@$(PYTHON) -m local_cluster status --name $(CLUSTER_NAME)

.PHONY: kubeconfig
kubeconfig: ## Print the path of the kubeconfig of cluster-up (with make -s: nothing else)
	@scripts/bootstrap >&2
	@$(PYTHON) -m local_cluster kubeconfig --name $(CLUSTER_NAME)

TRACES := local-cluster/tests/cluster/test_full_traces.py

.PHONY: test-cluster
test-cluster: programs ## The local cluster's own tests (light mode as any user, the rest as root on Debian)
	$(PYTEST_TWICE) local-cluster/tests/cluster --ignore $(TRACES) -m 'not other_release' -n 3 --dist loadgroup
	$(PYTEST_TWICE) $(TRACES)  # alone: it compares the whole machine before and after

.PHONY: test-other-release
test-other-release: setup ## The local cluster once on the release of Kubernetes that is not its default (compiles 8 minutes)
	$(PYTEST) local-cluster/tests/cluster -m other_release
