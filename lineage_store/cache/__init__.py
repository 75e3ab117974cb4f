"""Cache decisions: canonical values, the keys made of them, policies and leases."""
