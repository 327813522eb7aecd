"""The tick, and one run. Read ``run.py`` first."""
