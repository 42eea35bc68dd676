DEMO_NAME ?= demo

.PHONY: demo
demo: setup ## The main job on a real Kubernetes of our own (root on Debian)
	@$(PYTHON) -m session_demo play --name $(DEMO_NAME)

.PHONY: demo-down
demo-down: setup ## Remove everything that the demo made
	@$(PYTHON) -m session_demo down --name $(DEMO_NAME)
