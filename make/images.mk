.PHONY: images
images: setup ## Build the images that have changed (root on Debian); prints name, reference, archive, bytes
	@$(PYTHON) -m session_devtools.images build

.PHONY: lock-debian
lock-debian: setup ## Write down which Debian packages the images get today (root on Debian): requirements/debian/*.txt
	@$(PYTHON) -m session_devtools.images lock

.PHONY: images-clean
images-clean: setup ## Forget all images and their base; the next build takes today's Debian packages
	@$(PYTHON) -m session_devtools.images clean
