"""The servers and the supervisor that let one machine run the whole portal: development, tests and the demo only."""
