"""The container around the runner: its processes, its memory limit, its last words."""
