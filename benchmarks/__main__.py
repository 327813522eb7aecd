"""``python -m benchmarks [start|scim|reconcile|sending|dashboard] [--people 1000000]``: print the figures."""

import argparse
import importlib

PARTS = ("start", "scim", "reconcile", "sending", "dashboard")


def main() -> None:
    """Run the parts asked for, one after the other: they share the machine."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("parts", nargs="*", default=list(PARTS), help=f"some of {', '.join(PARTS)}")
    parser.add_argument("--people", type=int, default=1_000_000, help="size of the large company")
    options = parser.parse_args()
    for part in options.parts or PARTS:
        importlib.import_module(f"benchmarks.{part}").run(options.people)


if __name__ == "__main__":
    main()
