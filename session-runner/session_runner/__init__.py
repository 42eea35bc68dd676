"""The runner: one WhatsApp Web page in one browser, in one pod, and its HTTP API."""
