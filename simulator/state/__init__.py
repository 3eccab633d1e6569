"""What the simulated platforms contain: people, messages and files, with the clock, faults and limits around them."""
