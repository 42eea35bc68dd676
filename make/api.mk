.PHONY: generate
generate: setup ## Write the CRDs and the API reference from the models
	@PYTHONPATH=operator $(PYTHON) -m whatsapp_operator.api.generate
