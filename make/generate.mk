.PHONY: generate
generate: setup ## Write every generated file: CRDs, schemas, install.yaml, OpenAPI document, manifests/gitops, pages, versions
	@$(PYTHON) scripts/generate.py

.PHONY: verify
verify: setup ## Fail if a generated file is stale, and name it
	@$(PYTHON) scripts/generate.py --check
