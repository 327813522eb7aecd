"""A company's first week with Herdbook, played over HTTP: ``python -m demo http://127.0.0.1:8000``."""
