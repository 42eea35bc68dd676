.PHONY: generate
generate: setup ## Write CRDs, JSON Schemas, the API reference and the runner's OpenAPI document from the models
	@$(PYTHON) -m whatsapp_operator.api.generate
	@$(PYTHON) -m session_runner.http.openapi
