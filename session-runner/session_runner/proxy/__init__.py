"""The relay between the browser and the session's proxy: its login, what is said to the proxy, and the relay itself."""
