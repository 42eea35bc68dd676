"""From the models to what is checked in: CRDs, JSON Schemas, API reference. Pure: models in, texts out.

`schema` turns a model into a structural schema, `definitions` puts the two kinds' CRDs around theirs, `json_schema`
says the same to editors, `reference` writes it as a page for people. `whatsapp_operator.api.generate` is the only
caller beside the tests; the running operator never imports this package.

Nothing else makes a CRD from pydantic's models: controller-tools reads Go types, and the generators of models from CRDs
go the other way. What these texts are worth is asked of a real API server (tests/integration/api).
"""
