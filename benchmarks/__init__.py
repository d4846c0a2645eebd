"""Benchmarks of speed and size; each figure is compared with a peer or limit measured in the same run."""
