.PHONY: generate
generate: setup ## Write CRDs, JSON Schemas and the API reference from the models
	@PYTHONPATH=operator $(PYTHON) -m whatsapp_operator.api.generate
