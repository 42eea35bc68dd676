.PHONY: browser test-runner runner-docs

browser: setup ## Install the browser that the runner's tests start (Debian's packages, as root)
	@$(PYTHON) -m runner.prepare

test-runner: browser ## The session runner with a real Chromium on the stand-in page
	$(PYTEST) tests/runner -n 2

runner-docs: setup ## Write the runner's settings table into its reference page
	sed -i '/^| Variable |/,$$d' docs/reference/runner-settings.md
	$(PYTHON) -m session_runner.settings >> docs/reference/runner-settings.md
