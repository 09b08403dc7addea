"""Systematic mutants; README.md."""
