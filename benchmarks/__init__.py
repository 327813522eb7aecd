"""What ``make bench`` runs: Herdbook, the limit program and hand-written SQL, side by side in one run."""
