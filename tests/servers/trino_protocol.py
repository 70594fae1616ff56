#!/usr/bin/env python3
"""A server that speaks the HTTP protocol of Trino and Presto, written from the public documents of the protocol. It is
no engine: it knows the statements below and answers others with an error.

    python3 tests/servers/trino_protocol.py [proof]     prints the port that it listens on

Who has a password is `ann` with `secret`, or the token `good`; whoever sends no proof is let in unless `proof` is asked
for. Ends with its standard input. Paths under /_ tell what the server has seen.
"""

import base64, http.server, json, re, sys, threading, time, urllib.parse

ROWS = 25_000
lock = threading.Lock()
queries, transactions, seen, written = {}, {}, [], []


def column(name, kind):
    return {"name": name, "type": kind, "typeSignature": {"rawType": kind.split("(")[0], "arguments": []}}


VALUES = [
    ("boolean", True),
    ("bigint", 9007199254740993),
    ("double", "NaN"),
    ("real", 1.5),
    ("decimal(38,2)", "-1.20"),
    ("varchar(5)", "größe"),
    ("varbinary", base64.b64encode(b"\0\xff").decode()),
    ("date", "2020-01-02"),
    ("timestamp(3)", "2020-01-02 03:04:05.678"),
    ("timestamp(3) with time zone", "2020-07-01 12:00:00.000 Europe/Berlin"),
    ("time(3)", "01:02:03.500"),
    ("interval day to second", "1 00:00:00.500"),
    ("array(decimal(3,1))", ["1.5", None]),
    ("map(varchar, bigint)", {"a": 1}),
    ("row(a bigint, b timestamp(3))", [1, "2020-01-02 03:04:05.000"]),
    ("uuid", "61f0c404-5cb3-11e7-907b-a6006ad3dba0"),
    ("json", "{\"a\": 1}"),
    ("bigint", None),
]
TABLES = {"towns": "BASE TABLE", "big_towns": "VIEW"}
COLUMNS = [("name", "varchar(20)"), ("n", "bigint"), ("at", "timestamp(3)"), ("ds", "varchar")]


class Refused(Exception):
    def __init__(self, name, message, kind="USER_ERROR"):
        super().__init__(message)
        self.error = {"message": message, "errorCode": 1, "errorName": name, "errorType": kind,
                      "errorLocation": {"lineNumber": 1, "columnNumber": 8}, "failureInfo": {"type": "x", "stack": []}}


def result(sql, schema):
    """Columns and rows of a statement."""
    one = " ".join(sql.split())
    low = one.lower()
    if low == "select 1":
        return [column("_col0", "integer")], [[1]]
    if low == "select all_types":
        return [column(f"c{i}", kind) for i, (kind, _) in enumerate(VALUES)], [[value for _, value in VALUES]]
    if low.startswith("select many"):
        return [column("n", "bigint"), column("t", "varchar")], [[i, f"row {i}"] for i in range(ROWS)]
    if low == "select huge":
        return [column("t", "varchar")], [["x" * (80 << 20)]]
    if low == "select bad_utf8":
        return [column("t", "varchar")], [["\udcff"]]
    if low == "show catalogs":
        return [column("Catalog", "varchar")], [["system"], ["hive"]]
    if "schemata" in low or low == "show schemas":
        return [column("schema_name", "varchar")], [["information_schema"], ["web"]]
    if "information_schema\".\"tables" in low:
        wanted = "VIEW" if "'VIEW'" in one else "BASE TABLE"
        mine = "'web'" in one
        return [column("table_name", "varchar")], [[t] for t, kind in TABLES.items() if mine and kind == wanted]
    if low.startswith("show tables from"):
        return [column("Table", "varchar")], [[t] for t in TABLES]
    if "information_schema\".\"columns" in low:
        known = "'towns'" in one
        names = ["column_name", "data_type", "column_default", "is_nullable", "comment"]
        rows = [[n, t, None, "YES", "of the town" if n == "name" else None] for n, t in COLUMNS] if known else []
        return [column(n, "varchar") for n in names], rows
    if low.startswith("show columns from"):
        if '"towns"' not in one:
            raise Refused("SYNTAX_ERROR", f"line 1:1: Table '{one[18:]}' does not exist")
        names = ["Column", "Type", "Extra", "Comment"]
        return [column(n, "varchar") for n in names], [
            [n, t, "partition key" if n == "ds" else "", ""] for n, t in COLUMNS
        ]
    if "towns$partitions" in low:
        return [column("ds", "varchar")], [] if "limit 0" in low else [["2024-01-02"]]
    if "table_comments" in low:
        return [column("comment", "varchar")], [["Towns of the web"]]
    if low == "show functions":
        return [column("Function", "varchar")], [["abs"], ["date_trunc"]]
    if low.startswith("explain (type io, format json) select"):
        plan = {"inputTableColumnInfos": [], "estimate": {"outputRowCount": 7e6, "cpuCost": "NaN", "maxMemory": 0.0}}
        return [column("Query Plan", "varchar")], [[json.dumps(plan)]]
    bare = low.replace('"', "")
    if "from web.towns" in bare or "from towns" in bare or "from hive.web.towns" in bare:
        if schema != "web" and "from towns" in bare:
            raise Refused("TABLE_NOT_FOUND", f"line 1:15: Table 'hive.{schema}.towns' does not exist")
        if "nope" in low:
            raise Refused("COLUMN_NOT_FOUND", "line 1:8: Column 'nope' cannot be resolved")
        if "sum(" in low:
            label = re.search(r'AS "(SUM\(n\))"', one)
            return [column("name", "varchar"), column(label.group(1) if label else "s", "bigint")], [
                ["Bern", 7],
                ["Köln", 5],
            ]
        return [column(n, t) for n, t in COLUMNS], [["Bern", 7, "2024-01-02 00:00:00.000", "2024-01-02"]]
    raise Refused("SYNTAX_ERROR", f"line 1:1: mismatched input '{one.split(' ')[0]}'")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def header(self, name):
        return self.headers.get(f"X-Trino-{name}") or self.headers.get(f"X-Presto-{name}")

    def send(self, data, status=200, headers=()):
        if not isinstance(data, bytes):
            data = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def let_in(self):
        proof = self.headers.get("Authorization")
        basic = "Basic " + base64.b64encode(b"ann:secret").decode()
        if proof in (basic, "Bearer good") or proof is None and "proof" not in sys.argv:
            return True
        self.send(b"Unauthorized", 401)
        return False

    def page(self, query, token):
        """One answer of a statement, and where the next is."""
        total = len(query["rows"])
        start = query["sizes"][token] if token < len(query["sizes"]) else total
        end = query["sizes"][token + 1] if token + 1 < len(query["sizes"]) else total
        # another host: a client that follows it has given its proof away
        here = f"http://elsewhere.invalid:{server.server_port}"
        done = query["state"] != "RUNNING" or (end >= total and not query["slow"])
        body = {
            "id": query["id"],
            "infoUri": f"{here}/ui/query.html?{query['id']}",
            "stats": {"state": "FINISHED" if done else "RUNNING", "completedSplits": min(token, 4), "totalSplits": 4},
        }
        if query["error"]:
            body["error"] = query["error"]
            return body
        if query["columns"] is not None and token > 0:
            body["columns"] = query["columns"]
            if query["rows"][start:end]:
                body["data"] = query["rows"][start:end]
        if not done or token == 0:
            body["nextUri"] = f"{here}/v1/statement/executing/{query['id']}/slug/{token + 1}"
        return body

    def do_POST(self):
        sql = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        if not self.let_in():
            return
        with lock:
            seen.append({"sql": sql, "user": self.header("User"), "source": self.header("Source"),
                         "catalog": self.header("Catalog"), "schema": self.header("Schema"),
                         "transaction": self.header("Transaction-Id"),
                         "proof": self.headers.get("Authorization")})
            number = len(seen)
        transaction = self.header("Transaction-Id") or "NONE"
        query = {"id": f"20240101_000000_{number:05}_abcde", "columns": None, "rows": [], "sizes": [0], "error": None,
                 "state": "RUNNING", "slow": False, "headers": []}
        queries[query["id"]] = query
        low = " ".join(sql.lower().split())
        prefix = "X-Presto-" if self.headers.get("X-Presto-User") else "X-Trino-"
        try:
            if low.startswith("start transaction"):
                transactions[query["id"]] = "read only" in low
                query["headers"] = [(f"{prefix}Started-Transaction-Id", query["id"])]
            elif transaction != "NONE" and transaction not in transactions:
                raise Refused("UNKNOWN_TRANSACTION", f"Unknown transaction ID: {transaction}")
            elif low in ("rollback", "commit"):
                transactions.pop(transaction)
            elif re.match(r"(create|insert|delete|drop|update)\b", low):
                if transactions.get(transaction):
                    raise Refused("READ_ONLY_VIOLATION", "Cannot execute write in a read-only transaction")
                written.append(sql)
            elif low.startswith("call system.runtime.kill_query"):
                victim = queries.get(re.search(r"query_id => '([^']*)'", sql).group(1))
                victim["state"] = "FAILED"
                victim["error"] = Refused(
                    "ADMINISTRATIVELY_KILLED", "Query killed. Message: Query cancelled by Superset"
                ).error
            elif low.startswith(("select slow", "select hang", "select die")):
                query["slow"] = True
                query["columns"] = [column("n", "bigint")]
                query["rows"], query["sizes"] = [[1]], [0, 0]
                query["kind"] = low.split()[1]
            else:
                query["columns"], query["rows"] = result(sql, self.header("Schema"))
                # no rows at first, then few, then many
                query["sizes"] = [0, 0, 0, *range(3, len(query["rows"]), 4000)]
        except Refused as refused:
            query["error"] = refused.error
        if low.startswith("select busy") and not query.get("asked"):
            query["error"] = None
        self.send(self.page(query, 0))

    def do_GET(self):
        path = urllib.parse.urlparse(self.path).path
        if path == "/_seen":
            return self.send({"seen": seen, "transactions": len(transactions), "written": written,
                              "running": [q["id"] for q in queries.values() if q["slow"] and q["state"] == "RUNNING"]})
        if not self.let_in():
            return
        *_, number, _, token = path.split("/")
        query = queries.get(number)
        if query is None:
            return self.send(b"Query not found", 404)
        token = int(token)
        if token == 1 and not query.get("was_busy"):
            # the protocol's way to say: ask again
            query["was_busy"] = True
            return self.send(b"", 503)
        if query["slow"] and query["state"] == "RUNNING":
            if query["kind"] == "hang":
                time.sleep(30)
            if query["kind"] == "die" and token > 1:
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(b'{"id": "cut')
                self.close_connection = True
                return
            time.sleep(0.2)
        self.send(self.page(query, token), headers=query["headers"] if token == 1 else ())

    def do_DELETE(self):
        number = urllib.parse.urlparse(self.path).path.split("/")[-3]
        if number in queries:
            queries[number]["state"] = "CANCELED"
        self.send_response(204)
        self.send_header("Content-Length", "0")
        self.end_headers()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Clients that hang up are part of the tests."""


server = Server(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
