"""From desired and observed to plan, apply and outcome. Knows nothing of SCIM."""
