module wasession.dev/tests/attack/hostile

go 1.25.0
