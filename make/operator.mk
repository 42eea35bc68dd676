.PHONY: test-operator
test-operator: programs ## The operator against a real API server (minutes, no root)
	$(PYTEST) tests/integration/operator -n 2

.PHONY: test-operator-crashes
test-operator-crashes: setup ## The operator killed at every single write of every scenario (minutes)
	EXHAUSTIVE=1 $(PYTEST) tests/unit/runtime/test_crashes.py -n 2
