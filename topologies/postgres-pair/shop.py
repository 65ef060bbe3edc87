#!/usr/bin/env python3
"""A web shop in front of the pair: POST /orders stores an order, GET /health counts them.

It finds the database as a resolver would tell it: in the file services/db of its folder, which
the run replaces when clients are sent elsewhere.
"""
import os, subprocess, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

FOLDER, DSN = os.environ["ASSIZE_FOLDER"], urlsplit(os.environ["PAIR_DSN"])
TABLE = "create table if not exists orders (id text, at timestamptz default now());"


def sql(text):
    with open(FOLDER + "/services/db") as file:
        host, port = file.read().strip().rsplit(":", 1)
    env = dict(os.environ, PGPASSWORD=DSN.password or "", PGCONNECT_TIMEOUT="3")
    argv = ["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-h", host, "-p", port, "-U", DSN.username, DSN.path[1:]]
    return subprocess.run(argv, input=text, env=env, capture_output=True, text=True, timeout=5, check=True).stdout


class Shop(BaseHTTPRequestHandler):
    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_GET(self):
        self.ask("select 1")

    def do_POST(self):
        size = int(self.headers.get("Content-Length", 0))
        order = self.rfile.read(size).decode().replace("'", "''")[:200]
        self.ask(f"{TABLE} insert into orders (id) values ('{order}') returning id")

    def ask(self, text):
        try:
            self.answer(200, sql(text))
        except (OSError, ValueError, subprocess.SubprocessError):
            self.answer(503, "the database does not answer\n")

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Shop).serve_forever()
