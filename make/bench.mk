# Benchmarks compare within one run and print ratios; they need root on Debian and a machine with nothing else to do.
# BENCH_FLAGS adds options (`make bench-start BENCH_FLAGS="--rounds 3 --json start.json"`), see --help.
BENCH := $(PYTHON) -m session_bench

.PHONY: bench bench-sessions bench-start bench-crowd bench-memory bench-recovery bench-operator bench-loop bench-send

bench: setup ## The benchmarks: operator, start, crowd, recovery, memory (an hour on a quiet machine)
	@$(BENCH) operator start crowd recovery memory $(BENCH_FLAGS)

bench-sessions: setup ## The benchmarks on a real cluster: start, crowd, recovery, memory
	@$(BENCH) start crowd recovery memory $(BENCH_FLAGS)

bench-start: setup ## Time from apply to the QR code, by part, beside the same pod made by hand
	@$(BENCH) start $(BENCH_FLAGS)

bench-crowd: setup ## Time from apply to the QR code of 8 sessions at once, beside 8 in one Node process
	@$(BENCH) crowd $(BENCH_FLAGS)

bench-memory: setup ## Memory per session, beside as many sessions in one process; PAGE=heavy: on a page as heavy as a real one
	@$(BENCH) $(if $(filter heavy,$(PAGE)),heavy,memory) $(BENCH_FLAGS)

bench-recovery: setup ## Time from a killed browser or a deleted pod to Connected again
	@$(BENCH) recovery $(BENCH_FLAGS)

bench-operator: setup ## What the operator takes for 300 sessions at once, beside 300 bare pods
	@$(BENCH) operator $(BENCH_FLAGS)

bench-loop: setup ## How long one step holds the operator's event loop with 10,000 sessions
	@$(BENCH) loop $(BENCH_FLAGS)

bench-send: setup ## What messages and files cost, beside the page's own call and one Node process
	@$(BENCH) send $(BENCH_FLAGS)
