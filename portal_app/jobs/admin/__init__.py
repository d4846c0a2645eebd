"""What the commands of `portal` run for operators: each module is one command or group."""
