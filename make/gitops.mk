.PHONY: test-gitops
test-gitops: programs ## Flux' own kustomize-controller applies commits with sessions, and waits for them (no root; compiles it once)
	$(PYTEST) tests/gitops -n 0 -v
