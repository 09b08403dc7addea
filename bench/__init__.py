"""The benchmarks, and what `make bench` shows of them."""
