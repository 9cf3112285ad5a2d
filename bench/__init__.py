"""Benchmarks, each run beside its reference; docs/benchmarks.md has the numbers."""
