"""How gunicorn serves Herdbook: one worker with threads, and the scheduler beside it.

Heroku sets WEB_CONCURRENCY=2 by itself. One worker is on purpose: memory is a dyno's limit, and a
second process would have a second scheduler (the lease makes that harmless, but not useful).
"""

from typing import Any

from config import THREADS

workers = 1
threads = THREADS
worker_class = "serving.arrivals.PatientWorker"
keepalive = 75
graceful_timeout = 10
control_socket_disable = True
# The application measures the URL itself and answers 414 as a SCIM error; gunicorn would answer in HTML.
limit_request_line = 0
loglevel = "warning"
