"""What is measured: one program for each client, each run in a process of its own (see `benchmarks.drivers.loop`)."""
