"""What anybody should have: pure functions of values; no database, no framework, no clock."""
