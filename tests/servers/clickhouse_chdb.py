#!/usr/bin/env python3
"""ClickHouse for tests: its own engine, from the package chdb, behind a small server that speaks its HTTP interface.

    python3 tests/servers/clickhouse_chdb.py [FOLDER]      prints the port that it listens on

User `reader` has the password `secret`; whoever gives no user is `default`, without a password. Statements, settings,
formats, errors, progress and KILL QUERY are the engine's; what is imitated is the HTTP around it. Ends with its
standard input.

Besides: the statement `-- hang` is never answered, `-- die` has its connection cut in the middle of a row.
"""
import base64, http.server, os, re, socket, sys, tempfile, threading, urllib.parse

try:
    import chdb
except ImportError:
    sys.exit("chdb is not installed")

FOLDER = sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="liteset-chdb-")
PARAMETERS = {"query", "query_id", "database", "default_format", "user", "password", "session_id"}
FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*$", re.I)
ROWS = re.compile(
    r"^\s*(?:--[^\n]*\n|/\*.*?\*/|\s|\()*(SELECT|WITH|SHOW|DESCRIBE|DESC|EXISTS|EXPLAIN|VALUES)\b", re.I | re.S
)
lock = threading.Lock()
# the engine ends with its last connection, and what is in memory with it
KEPT = chdb.connect(FOLDER)


def length(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def head(data):
    """Length of the names and types that start every piece of a result."""
    n, at = length(data, 0)
    for _ in range(2 * n):
        size, at = length(data, at)
        at += size
    return at


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        url = urllib.parse.urlparse(self.path)
        given = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        sql = self.rfile.read(int(self.headers.get("content-length", 0))).decode("utf-8", "replace")
        sql = given.get("query", "") + sql
        kind, _, proof = self.headers.get("authorization", "").partition(" ")
        user = base64.b64decode(proof).decode() if kind == "Basic" else "default:"
        if user not in ("default:", "reader:secret"):
            name = user.split(":")[0]
            text = (
                f"Code: 516. DB::Exception: {name}: Authentication failed: password is incorrect, or there is no user "
                "with such name. (AUTHENTICATION_FAILED)"
            )
            return self.refuse(text, 403)
        if sql.startswith("-- hang"):
            threading.Event().wait(60)
        if sql.startswith("-- die"):
            return self.die()
        try:
            self.run(sql, given)
        except BrokenPipeError:
            self.close_connection = True

    def run(self, sql, given):
        connection = None
        try:
            with lock:
                connection = chdb.connect(FOLDER)
            if given.get("database"):
                connection.query("USE `" + given["database"].replace("`", "\\`") + "`")
            settings = {k: v for k, v in given.items() if k not in PARAMETERS}
            # the one that forbids to change the others comes last
            for name, value in sorted(settings.items(), key=lambda s: s[0] == "readonly"):
                connection.query(f"SET {name} = {value if re.fullmatch(r'[0-9.]+', value) else repr(value)}")
            if kill := re.search(r"query_id\s*=\s*'([^']*)'", sql):
                if sql.lstrip().upper().startswith("KILL"):
                    sql = sql.replace(kill.group(0), f"query LIKE '/* id {kill.group(1)} */%'")
            found = FORMAT.search(sql)
            form = found.group(1) if found else given.get("default_format", "TabSeparated")
            body = FORMAT.sub("", sql).rstrip().rstrip(";") if found else sql.rstrip().rstrip(";")
            marked = f"/* id {given.get('query_id', '')} */ {body}"
            self.stream(connection, marked, form) if ROWS.match(body) else self.at_once(connection, marked, form)
        except BrokenPipeError:
            raise
        except Exception as error:  # the engine's own words
            self.refuse(str(error))
        finally:
            if connection is not None:
                connection.close()

    def begin(self, form):
        self.send_response(200)
        self.send_header("X-ClickHouse-Format", form)
        self.send_header("X-ClickHouse-Timezone", "UTC")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, data):
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def at_once(self, connection, sql, form):
        data = connection.query(sql, form).bytes()
        self.begin(form)
        if data:
            self.chunk(data)
        self.chunk(b"")

    def stream(self, connection, sql, form):
        begun = False
        try:
            for piece in connection.send_query(sql, form):
                data = piece.bytes()
                if begun and form == "RowBinaryWithNamesAndTypes":
                    data = data[head(data):]
                if not begun:
                    self.begin(form)
                    begun = True
                if data:
                    self.chunk(data)
        except BrokenPipeError:
            raise
        except Exception as error:
            if "Streaming query is not supported" in str(error):
                return self.at_once(connection, sql, form)
            if not begun:
                raise
            # as the server does: its words behind the rows, then the connection is cut
            self.chunk(
                b"__exception__\r\nabcdefgh\r\n"
                + str(error).removeprefix("Streaming query failed: ").encode()
                + b"\n9 abcdefgh\r\n__exception__\r\n"
            )
            self.close_connection = True
            return
        if not begun:
            # no rows: names and types come without the streaming
            return self.at_once(connection, sql, form)
        self.chunk(b"")

    def die(self):
        self.begin("RowBinaryWithNamesAndTypes")
        self.chunk(b"\x01\x01a\x06String\x02ab\x7fcut")
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def refuse(self, text, status=None):
        text = text.removeprefix("Streaming query failed: ")
        code = re.search(r"Code: (\d+)", text)
        code = code.group(1) if code else "1002"
        status = status or {"60": 404, "81": 404, "62": 400, "47": 404, "159": 408}.get(code, 500)
        data = (text + "\n").encode()
        self.send_response(status)
        self.send_header("X-ClickHouse-Exception-Code", code)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


server = Server(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
os._exit(0)
