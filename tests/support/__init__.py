"""What the end-to-end tests and the benchmarks run otpgate with: private servers on free ports, in folders of their own."""
