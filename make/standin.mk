STANDIN_MODE ?= legacy

.PHONY: standin
standin: setup ## The stand-in page and its phone on this machine (STANDIN_MODE=modern for the other generation)
	@mkdir -p $(CACHE)/standin
	@test -f $(CACHE)/standin/tls.key || PYTHONPATH=tests $(PYTHON) -m standin certificates --out $(CACHE)/standin \
	  --hosts web.standin.localhost,static.standin.localhost
	@test -s $(CACHE)/standin/token || (umask 077; $(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(16))' > $(CACHE)/standin/token)
	@echo "page https://web.standin.localhost:8443/ · phone http://127.0.0.1:9080 · token and ca.crt in $(CACHE)/standin"
	@PYTHONPATH=tests $(PYTHON) -m standin --mode $(STANDIN_MODE) --tls-dir $(CACHE)/standin --token-file $(CACHE)/standin/token

.PHONY: test-standin
test-standin: setup ## The stand-in's own tests: its protocol, and wa-js on its page in a real Chromium
	$(PYTEST) tests/unit/standin tests/runner/standin -n 2
