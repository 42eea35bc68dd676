.PHONY: generate
generate: setup ## Write CRDs, JSON Schemas, references, the docs' tables, Argo CD's check and the runner's OpenAPI document from the code
	@$(PYTHON) -m whatsapp_operator.api.generate
	@$(PYTHON) -m session_runner.http.openapi
