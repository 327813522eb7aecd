"""What tests need and are not: people, platforms, processes, oracles, generators."""
