"""The thin adapter to Playwright: browser, injected scripts, probe, linking."""
