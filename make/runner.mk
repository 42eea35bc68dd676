.PHONY: browser test-runner

browser: setup ## Install the browser that the runner's tests start (Debian's packages, as root)
	@$(PYTHON) -m runner.prepare

test-runner: browser ## The session runner with a real Chromium on the stand-in page
	$(PYTEST) tests/runner -n 2 --dist worksteal
