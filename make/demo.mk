DEMO_NAME ?= demo
# local: a Kubernetes of our own on this machine; current: the cluster of kubectl's current context.
CLUSTER ?= local
# With CLUSTER=current: REGISTRY=host[:port]/path (REGISTRY_INSECURE=1 for plain HTTP) or KIND=name, and if need be
# STORAGE_CLASS=name and ACCESS_MODE=ReadWriteOnce. docs/operations/demo.md has more.
DEMO_FLAGS = $(if $(REGISTRY),--registry '$(REGISTRY)') $(if $(filter-out 0,$(REGISTRY_INSECURE)),--registry-insecure) \
  $(if $(KIND),--kind '$(KIND)') $(if $(STORAGE_CLASS),--storage-class '$(STORAGE_CLASS)') \
  $(if $(ACCESS_MODE),--access-mode '$(ACCESS_MODE)') $(if $(DEMO_MODE),--mode '$(DEMO_MODE)') \
  $(if $(filter-out 0,$(MESSAGES)),--messages) $(if $(filter-out 0,$(ALERTS)),--alerts)

.PHONY: demo
demo: setup ## Show what the operator does, on a Kubernetes of its own (root on Debian); MESSAGES=1, ALERTS=1; CLUSTER=current: on yours
	@$(PYTHON) -m session_demo play --cluster '$(CLUSTER)' --name '$(DEMO_NAME)' $(DEMO_FLAGS)

.PHONY: demo-down
demo-down: setup ## Remove everything that the demo made
	@$(PYTHON) -m session_demo down --cluster '$(CLUSTER)' --name '$(DEMO_NAME)'
