"""The parts of a running process; `amends run --only` starts some of them."""
