"""The provisioning log: every write and every refused request."""
