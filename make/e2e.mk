.PHONY: test-e2e
test-e2e: programs ## The main job end to end on a real Kubernetes of its own (root on Debian, a quarter of an hour); E2E_KEEP=1 leaves its clusters for looking into
	$(PYTEST_TWICE) tests/e2e -n 3 --dist loadgroup  # by what they share; most of the time is waiting

.PHONY: attack
attack: programs ## Ten minutes of attacks on sessions and operator beside 15 honest sessions; ATTACK_FLAGS="--minutes 2 --sessions 5" for less
	@cd tests && ../$(PYTHON) -m attack $(ATTACK_FLAGS)

.PHONY: soak
soak: programs ## An hour of mishaps, one after the other, beside 12 sessions; MINUTES=5 for less, SOAK_FLAGS="--seed 7 --only webhook" to repeat one
	@cd tests && ../$(PYTHON) -m soak $(if $(MINUTES),--minutes $(MINUTES)) $(SOAK_FLAGS)

.PHONY: e2e-down
e2e-down: setup ## Remove the clusters that E2E_KEEP=1 has left
	@for name in e2e e2e-gw0 e2e-gw1 e2e-gw2; do $(PYTHON) -m local_cluster down --name $$name; done
