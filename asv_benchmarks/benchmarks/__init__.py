"""The benchmarks of fastact, for asv. See ../README.md."""
