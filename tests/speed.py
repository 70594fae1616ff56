#!/usr/bin/env python3
"""CPU time of the server per request, on a new installation with the example content and 25 dashboards of 8 charts.

    python3 tests/speed.py --binary target/release/liteset            one line a request; the seconds with --seconds
    python3 tests/speed.py --binary … --charts 10000                  the lists once more among so many charts
    python3 tests/speed.py --binary … --postgres postgresql://…       charts that ask PostgreSQL: 2,000 rows in groups
    python3 tests/speed.py --binary A --binary B                      two builds, taking turns

What is counted is the processor time of the server's process, threads that have ended included, and nothing of who
asks: other work on the machine lengthens answers, and these figures a little. `/health` in the same run says what a
request costs that does nothing; compare figures by it.
"""
import argparse
import json
import os
import pathlib
import selectors
import socket
import sqlite3
import sys
import time
import urllib.parse
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "compat"))
import installation
import people

DASHBOARDS, CHARTS = 25, 8
SETTINGS = {
    "LITESET_PREVENT_UNSAFE_DB_CONNECTIONS": "false",
    "LITESET_RATELIMIT_ENABLED": "false",
    "SUPERSET_SECRET_KEY": "of a measurement, and of nothing else",
}
LIST = "?q=(order_column:changed_on_delta_humanized,order_direction:desc,page:0,page_size:25)"
VIRTUAL = (
    "SELECT i AS sales, 'line ' || i % 7 AS product_line, 'country ' || i % 19 AS country, "
    "DATE '2025-01-01' + i % 365 AS day FROM generate_series(1, 2000) AS s(i)"
)


def cpu_seconds(pid):
    # the clock of another process: CPUCLOCK_SCHED in <linux/posix-timers.h>
    return time.clock_gettime((~pid << 3) | 2)


class Server(installation.Installation):
    def __init__(self, binary, home=None):
        super().__init__(binary, home, SETTINGS)
        self.by = people.People(self.base)
        self.by.log_in("admin")

    def make(self, path, body):
        answer = self.by.ask({"user": "admin", "method": "POST", "path": f"/api/v1/{path}", "json": body})
        if answer.status not in (200, 201):
            raise RuntimeError(f"POST {path}: {answer.status} {answer.text[:500]}")
        return answer.json()["id"]

    def furnish(self, postgres):
        """The id of the first dashboard made, and the dataset that charts ask."""
        dataset, columns, metric = 1, ["branch", "product"], "revenue"
        if postgres:
            uri = urllib.parse.urlsplit(postgres)
            database = self.make("database/", {"database_name": "speed", "sqlalchemy_uri": uri.geturl()})
            table = {"database": database, "schema": "public", "table_name": "speed", "sql": VIRTUAL}
            dataset, columns, metric = self.make("dataset/", table), ["product_line", "country"], "sales"
        first = None
        for number in range(DASHBOARDS):
            title = f"Speed {number:02}"
            dashboard = self.make("dashboard/", {"dashboard_title": title, "published": True})
            first = first or dashboard
            position = {"DASHBOARD_VERSION_KEY": "v2", "GRID_ID": {"type": "GRID", "id": "GRID_ID", "children": []}}
            for chart in range(CHARTS):
                params = {"datasource": f"{dataset}__table", "viz_type": "table", "groupby": columns, "row_limit": 200}
                params |= {"adhoc_filters": [], "metrics": [sum_of(metric)], "query_mode": "aggregate"}
                made = self.make("chart/", {
                    "slice_name": f"{title} {chart}", "viz_type": "table", "datasource_id": dataset,
                    "datasource_type": "table", "params": json.dumps(params), "dashboards": [dashboard],
                })
                position["GRID_ID"]["children"].append(f"CHART-{chart}")
                position[f"CHART-{chart}"] = {
                    "type": "CHART", "id": f"CHART-{chart}", "children": [], "parents": ["ROOT_ID", "GRID_ID"],
                    "meta": {"chartId": made, "width": 4, "height": 50, "sliceName": f"{title} {chart}"},
                }
            change = {"position_json": json.dumps(position), "json_metadata": "{}"}
            self.by.ask({"user": "admin", "method": "PUT", "path": f"/api/v1/dashboard/{dashboard}", "json": change})
        return first, dataset, columns, metric


def sum_of(column):
    label = f"SUM({column})"
    return {"expressionType": "SIMPLE", "column": {"column_name": column}, "aggregate": "SUM", "label": label}


def chart_data(dataset, columns, metric, force):
    query = {
        "filters": [], "extras": {"having": "", "where": ""}, "applied_time_extras": {}, "columns": columns,
        "metrics": [sum_of(metric)], "orderby": [], "annotation_layers": [], "row_limit": 200, "series_limit": 0,
        "order_desc": True, "url_params": {}, "custom_params": {}, "custom_form_data": {},
    }
    return {
        "datasource": {"id": dataset, "type": "table"}, "force": force, "queries": [query], "result_format": "json",
        "form_data": {"datasource": f"{dataset}__table", "viz_type": "table"}, "result_type": "full",
    }


def questions(dashboard, *data):
    item = f"/api/v1/dashboard/{dashboard}"
    return {
        "health": ("/health", None, 8),
        "me": ("/api/v1/me/", None, 8),
        "dashboard list": (f"/api/v1/dashboard/{LIST}", None, 8),
        "chart list": (f"/api/v1/chart/{LIST}", None, 8),
        "dashboard": (item, None, 8),
        "its charts": (f"{item}/charts", None, 8),
        "its datasets": (f"{item}/datasets", None, 8),
        "welcome": ("/superset/welcome/", None, 8),
        "chart data, cached": ("/api/v1/chart/data", chart_data(*data, False), 2),
        "chart data, asked anew": ("/api/v1/chart/data", chart_data(*data, True), 2),
    }


class Line:
    """A connection on which one request after the other is sent."""

    def __init__(self, server, request):
        address = urllib.parse.urlsplit(server.base)
        self.socket = socket.create_connection((address.hostname, address.port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request = request

    def send(self):
        self.socket.sendall(self.request)

    def receive(self):
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.more()
        head, _, body = data.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{self.request[:120]!r}: {head[:200]!r} {body[:300]!r}")
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        while len(body) < length:
            body += self.more()
        return body

    def more(self):
        data = self.socket.recv(1 << 18)
        if not data:
            raise RuntimeError("the server closed the connection")
        return data


def measure(server, question, seconds):
    """Milliseconds of the server's processor time per request, requests, bytes of an answer."""
    path, body, lines = question
    cookie = server.by.sessions["admin"][0]
    text = json.dumps(body).encode() if body else b""
    head = [f"{'POST' if body else 'GET'} {path} HTTP/1.1", f"Host: {urllib.parse.urlsplit(server.base).netloc}"]
    head += [f"Cookie: {cookie}", f"Referer: {server.base}/"]
    if body:
        head += ["Content-Type: application/json", f"Content-Length: {len(text)}"]
    request = "\r\n".join([*head, "", ""]).encode() + text
    lines = [Line(server, request) for _ in range(lines)]
    bytes_of_one = 0
    for line in lines * 20:
        line.send()
        bytes_of_one = len(line.receive())
    waiting = selectors.DefaultSelector()
    for line in lines:
        waiting.register(line.socket, selectors.EVENT_READ, line)
    # what was begun before is over
    time.sleep(0.3)
    asked, end, before = 0, time.monotonic() + seconds, cpu_seconds(server.server.pid)
    for line in lines:
        line.send()
    under_way = len(lines)
    while under_way:
        for key, _ in waiting.select():
            key.data.receive()
            asked += 1
            if time.monotonic() < end:
                key.data.send()
            else:
                under_way -= 1
    # and what is written behind the answers is counted, too
    time.sleep(0.3)
    used = cpu_seconds(server.server.pid) - before
    for line in lines:
        line.socket.close()
    return used * 1000 / asked, asked, bytes_of_one


def multiply_charts(home, number):
    """More charts by copying rows where the server keeps them, while it is stopped."""
    with sqlite3.connect(home / "superset.db") as db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(slices)") if row[1] not in ("id", "uuid")]
        names = ", ".join(f'"{name}"' for name in columns)
        have = db.execute("SELECT count(*) FROM slices").fetchone()[0]
        for n in range(max(0, number - have)):
            copy = f"INSERT INTO slices ({names}, uuid) SELECT {names}, ? FROM slices ORDER BY id LIMIT 1 OFFSET ?"
            db.execute(copy, (uuid.uuid4().bytes, n % have))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--binary", action="append")
    options.add_argument("--seconds", type=float, default=3)
    options.add_argument("--charts", type=int)
    options.add_argument("--postgres")
    options.add_argument("--only", action="append", default=[], help="requests whose name contains this")
    given = options.parse_args()
    binaries = given.binary or [installation.binary()]
    servers = [Server(binary) for binary in binaries]
    try:
        asked = [questions(*server.furnish(given.postgres)) for server in servers]
        wanted = [name for name in asked[0] if not given.only or any(word in name for word in given.only)]
        for name in wanted:
            report(name, [measure(server, all[name], given.seconds) for server, all in zip(servers, asked)])
        if given.charts:
            for at, server in enumerate(servers):
                server.stop()
                multiply_charts(server.home, given.charts)
                servers[at] = Server(binaries[at], server.folder)
                servers[at].keep = False
            for name in ("health", "dashboard list", "chart list"):
                found = [measure(server, all[name], given.seconds) for server, all in zip(servers, asked)]
                report(f"{name}, {given.charts} charts", found)
    finally:
        for server in servers:
            server.remove()


def report(name, found):
    figures = "  ".join(f"{ms:8.3f} ms of CPU ({asked} requests)" for ms, asked, _ in found)
    print(f"{name:32}{figures}  {found[-1][2]} bytes", flush=True)


if __name__ == "__main__":
    sys.exit(main())
