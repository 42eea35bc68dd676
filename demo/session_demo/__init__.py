"""The demo: the main job, step by step, on a real Kubernetes; each step says what it expects and what it saw."""
