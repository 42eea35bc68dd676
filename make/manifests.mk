.PHONY: test-manifests
test-manifests: programs ## Check the manifests: schemas, kube-score, rights, a dry run on a real API server
	@$(PYTHON) -m manifests.checkers
	$(PYTEST_TWICE) tests/manifests -n 2 --dist loadgroup

.PHONY: seccomp-profile
seccomp-profile: setup ## Write the seccomp profile of Chromium's sandbox anew, out of containerd's default one
	@$(PYTHON) scripts/seccomp_profile.py
