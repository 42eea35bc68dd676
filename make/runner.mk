.PHONY: browser test-runner test-walk

browser: setup ## Install the browser that the runner's tests start (Debian's packages, as root)
	@$(PYTHON) -m runner.prepare

test-runner: browser ## The session runner with a real Chromium on the stand-in page
	$(PYTEST_TWICE) tests/runner -n 4 --dist worksteal  # most of the time is waiting

WALK := $(if $(STEPS),--steps $(STEPS)) $(if $(SEED),--seed $(SEED)) $(if $(MODE),--mode $(MODE)) \
  $(if $(FAULT),--fault $(FAULT)) $(if $(REPLAY),--replay '$(REPLAY)')

test-walk: browser ## A random walk over all that may happen to a session; STEPS=1000, SEED=7, FAULT=all (planted faults), REPLAY='start; scan'
	@cd tests && ../$(PYTHON) -m walk $(WALK)
