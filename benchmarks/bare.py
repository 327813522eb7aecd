"""A bare application with Herdbook's imports: what starting it is measured against."""

from flask import Flask

import app as herdbook
import reconcile.runs.schedule

LOADED = (herdbook, reconcile.runs.schedule)

app = Flask(__name__, static_folder=None)


@app.get("/hello")
def hello() -> str:
    return "hello"
