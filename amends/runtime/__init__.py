"""The parts of a running desk; `amends run --only` starts some of them."""
