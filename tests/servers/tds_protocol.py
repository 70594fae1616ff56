#!/usr/bin/env python3
"""Speaks TDS as SQL Server does (MS-TDS, the public description), for tests where there is no SQL Server.

    tds_protocol.py [--port N]      prints the port that it listens on
                    [--encryption off|login|required|strict --certificate FILE]

Encrypted is nothing, the log-in alone, or everything; where it is required, clients that cannot are sent away; strict
connections (TDS 8) are encrypted from the first byte. The file holds a key and its certificate.

It knows no SQL: it answers texts that it has been taught, and keeps what a test asks about later:

    select 1                 one row
    types                    one row with a value of each type
    rows N                   N rows of one integer and one text
    slow                     sleeps until it is cancelled by an attention, or for a minute
    hang                     never answers, not even an attention
    big N                    one text of N characters
    endless                  one text that goes on until the client goes
    fail                     error 208
    break                    a row, then the connection ends
    journal                  every text it was sent on any connection, a row each
    sent WORD                how many texts ended with a word, but for such questions
    encrypted                how the log-in came, and how this text did: two texts

and, without reading more of a text than a few words, what an inspector asks about the schemas dbo and sales, the table
dbo.towns (n, name) and the view dbo.big_towns, and its rows: as many as TOP says, or those of a query with aliases.

The user is "sa" with the password "Passw0rd!", the database anything but "nope".
"""

import argparse
import re
import socketserver
import ssl
import struct
import threading
import time

JOURNAL = []
LOCK = threading.Lock()


def varchar8(text):
    return bytes([len(text)]) + text.encode("utf-16-le")


def varchar16(text):
    return struct.pack("<H", len(text)) + text.encode("utf-16-le")


def message(token, number, text, severity=16):
    body = struct.pack("<IBB", number, 1, severity) + varchar16(text) + varchar8("server") + varchar8("")
    body += struct.pack("<I", 1)
    return bytes([token]) + struct.pack("<H", len(body)) + body


def error(number, text, severity=16):
    return message(0xAA, number, text, severity)


def done(status=0, rows=0):
    return bytes([0xFD]) + struct.pack("<HHQ", status, 0xC1, rows)


def environment(kind, new, old=b""):
    body = bytes([kind]) + new + old
    return bytes([0xE3]) + struct.pack("<H", len(body)) + body


COLLATION = bytes([0x09, 0x04, 0xD0, 0x00, 0x34])


class Column:
    """A column: its name, the description of its type, and how a value is written."""

    def __init__(self, name, info, write):
        self.name, self.info, self.write = name, info, write

    def metadata(self):
        return struct.pack("<IH", 0, 1) + self.info + varchar8(self.name)


def short(raw):
    return b"\x00" if raw is None else bytes([len(raw)]) + raw


def long(raw):
    return b"\xff\xff" if raw is None else struct.pack("<H", len(raw)) + raw


def chunked(raw):
    if raw is None:
        return b"\xff" * 8
    return struct.pack("<QI", len(raw), len(raw)) + raw + struct.pack("<I", 0) if raw else struct.pack("<QI", 0, 0)


def integer(name):
    return Column(name, bytes([0x26, 4]), lambda v: short(None if v is None else struct.pack("<i", v)))


def text(name):
    info = bytes([0xE7]) + struct.pack("<H", 8000) + COLLATION
    return Column(name, info, lambda v: long(None if v is None else v.encode("utf-16-le")))


def long_text(name):
    info = bytes([0xE7]) + struct.pack("<H", 0xFFFF) + COLLATION
    return Column(name, info, lambda v: chunked(None if v is None else v.encode("utf-16-le")))


def raw(name, info, prefix=short):
    return Column(name, info, prefix)


def result(columns, rows):
    out = bytes([0x81]) + struct.pack("<H", len(columns)) + b"".join(c.metadata() for c in columns)
    for row in rows:
        out += b"\xd1" + b"".join(c.write(v) for c, v in zip(columns, row))
    return out


def days(year, month, day):
    import datetime

    return (datetime.date(year, month, day) - datetime.date(1, 1, 1)).days.to_bytes(3, "little")


def every_type():
    at_noon = (43200 * 10**7 + 1234567).to_bytes(5, "little")
    money = 123456
    return [
        (raw("bit", bytes([0x68, 1])), b"\x01"),
        (raw("tinyint", bytes([0x26, 1])), b"\xff"),
        (raw("smallint", bytes([0x26, 2])), struct.pack("<h", -2)),
        (raw("int", bytes([0x26, 4])), struct.pack("<i", -3)),
        (raw("bigint", bytes([0x26, 8])), struct.pack("<q", 2**62)),
        (raw("real", bytes([0x6D, 4])), struct.pack("<f", 1.5)),
        (raw("float", bytes([0x6D, 8])), struct.pack("<d", 2.25)),
        (raw("money", bytes([0x6E, 8])), struct.pack("<iI", money >> 32, money & 0xFFFFFFFF)),
        (raw("decimal", bytes([0x6A, 17, 10, 2])), b"\x00" + struct.pack("<Q", 1050) + bytes(8)),
        (raw("guid", bytes([0x24, 16])), bytes.fromhex("00840e559be2d441a716446655440000")),
        (raw("date", bytes([0x28])), days(2020, 1, 2)),
        (raw("time", bytes([0x29, 7])), at_noon),
        (raw("datetime", bytes([0x6F, 8])), struct.pack("<iI", 43830, 300 * 3661 + 2)),
        (raw("smalldatetime", bytes([0x6F, 4])), struct.pack("<HH", 43830, 61)),
        (raw("datetime2", bytes([0x2A, 7])), at_noon + days(2020, 1, 2)),
        (raw("datetimeoffset", bytes([0x2B, 7])), at_noon + days(2020, 1, 2) + struct.pack("<h", 120)),
        (raw("varbinary", bytes([0xA5]) + struct.pack("<H", 10), long), b"\x00\xff"),
        (raw("varchar", bytes([0xA7]) + struct.pack("<H", 10) + COLLATION, long), b"caf\xe9"),
        (text("nvarchar"), "ü"),
        (long_text("max"), "x" * 10000),
        (integer("nothing"), None),
    ]


TOWNS = [("Bern", 7), ("Rome", 3)]


def catalogue(sql):
    """What is told of the few things that there are; nothing for other texts."""

    def texts(names, rows):
        return [text(name) for name in names], rows

    if "schema_name() AS name" in sql:
        return texts(["name"], [["dbo"]])
    if "FROM INFORMATION_SCHEMA.SCHEMATA" in sql:
        return texts(["SCHEMA_NAME"], [["dbo"], ["sales"]])
    if "FROM INFORMATION_SCHEMA.TABLES" in sql:
        name = "big_towns" if "'VIEW'" in sql else "towns"
        return texts(["TABLE_NAME"], [[name]] if "N'dbo'" in sql else [])
    if "FROM INFORMATION_SCHEMA.COLUMNS" in sql:
        names = ["COLUMN_NAME", "DATA_TYPE", "IS_NULLABLE", "COLUMN_DEFAULT", "LENGTH", "PRECISION", "SCALE"]
        rows = [["n", "int", "NO", None, None, "10", "0"], ["name", "nvarchar", "YES", None, "50", None, None]]
        return texts(names, rows if "N'towns'" in sql else [])
    if re.search(r"KEY_COLUMN_USAGE|FROM sys\.", sql):
        return texts(["a", "b", "c", "d", "e"], [])
    if not re.search(r"FROM (\[?dbo\]?\.)?\[?towns\]?", sql):
        return None
    aliases = re.findall(r"AS (?:\[([^\]]+)\]|(\w+))", sql.split("FROM")[0])
    if "(" in sql.split("FROM")[0]:
        columns = [(text if "name" in (a or b) else integer)(a or b) for a, b in aliases]
        return columns, [[town if c.name == "name" else count for c in columns] for town, count in TOWNS]
    top = re.match(r"SELECT TOP (\d+)", sql)
    count = min(int(top.group(1)) if top else 500, 500)
    return [integer("n"), text("name")], [[n, f"town {n}"] for n in range(count)]


class Encrypted:
    """A socket whose bytes are encrypted; until the handshake is done they travel in packets of their own."""

    def __init__(self, socket, context, exact):
        self.socket, self.exact = socket, exact
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)

    def handshake(self):
        while True:
            try:
                self.tls.do_handshake()
                self.pack()
                return
            except ssl.SSLWantReadError:
                self.pack()
                kind, _, length = struct.unpack(">BBH", self.exact(8)[:4])
                assert kind == 0x12, kind
                self.incoming.write(self.exact(length - 8))
            except ssl.SSLError as error:
                self.pack()
                raise ConnectionError from error

    def pack(self):
        found = self.outgoing.read()
        for start in range(0, len(found), 4088):
            part = found[start : start + 4088]
            last = start + 4088 >= len(found)
            self.socket.sendall(struct.pack(">BBHHBB", 0x12, int(last), len(part) + 8, 0, 1, 0) + part)

    def recv(self, count):
        while True:
            try:
                return self.tls.read(count)
            except ssl.SSLWantReadError:
                found = self.socket.recv(65536)
                if not found:
                    return b""
                self.incoming.write(found)
            except ssl.SSLError as error:
                raise ConnectionError from error

    def sendall(self, payload):
        self.tls.write(payload)
        self.socket.sendall(self.outgoing.read())

    def setblocking(self, on):
        self.socket.setblocking(on)

    def settimeout(self, seconds):
        self.socket.settimeout(seconds)


class Session(socketserver.BaseRequestHandler):
    def exact(self, count):
        return Session.exact_of(self.request, count)

    @staticmethod
    def exact_of(socket, count):
        found = b""
        while len(found) < count:
            part = socket.recv(count - len(found))
            if not part:
                raise ConnectionError
            found += part
        return found

    def read(self):
        return Session.message_of(self.request)

    @staticmethod
    def message_of(socket):
        kind, payload = None, b""
        while True:
            kind, status, length = struct.unpack(">BBH", Session.exact_of(socket, 8)[:4])
            payload += Session.exact_of(socket, length - 8)
            if status & 1:
                return kind, payload

    def write(self, payload):
        size = 4088
        for start in range(0, max(len(payload), 1), size):
            part = payload[start : start + size]
            last = start + size >= len(payload)
            self.request.sendall(struct.pack(">BBHHBB", 4, int(last), len(part) + 8, 0, 1, 0) + part)

    def handle(self):
        self.transactions = 0
        plain = self.request
        level, context = self.server.encryption, self.server.context
        try:
            if level == "strict":
                self.request = context.wrap_socket(plain, server_side=True)
            wanted = self.prelogin(level)
            # 0: the log-in, 1: everything, 2: cannot, 3: demanded
            if level in ("login", "required") and wanted != 2:
                self.request = Encrypted(plain, context, self.exact)
                # packets of the handshake come over the bare socket
                self.request.exact = lambda count: Session.exact_of(plain, count)
                self.request.handshake()
            self.login_encrypted = self.request is not plain
            if self.login_encrypted and level == "login" and wanted == 0:
                encrypted, self.request = self.request, plain
                accepted = self.login(Session.message_of(encrypted))
            else:
                accepted = self.login(self.read())
            self.encrypted = self.request is not plain
            if accepted:
                while self.batch():
                    pass
        except (ConnectionError, OSError):
            pass

    def prelogin(self, level):
        kind, payload = self.read()
        assert kind == 0x12, kind
        wanted, at = 2, 0
        while payload[at] != 0xFF:
            option, offset, _ = struct.unpack_from(">BHH", payload, at)
            wanted = payload[offset] if option == 1 else wanted
            at += 5
        # version, encryption
        if level == "login":
            answer = {0: 0, 2: 2}.get(wanted, 1)
        else:
            answer = {"off": 2, "required": 1 if wanted == 1 else 3, "strict": 1}[level]
        options = struct.pack(">BHH", 0, 11, 6) + struct.pack(">BHH", 1, 17, 1) + b"\xff"
        self.write(options + bytes([16, 0, 0, 0, 0, 0]) + bytes([answer]))
        # nobody who knows the public description goes on from here
        if (level == "required" and wanted == 2) or (level == "off" and wanted in (1, 3)):
            raise ConnectionError
        return wanted

    def login(self, message):
        kind, payload = message
        assert kind == 0x10, kind

        def field(at):
            offset, length = struct.unpack_from("<HH", payload, at)
            return payload[offset : offset + length * 2]

        user, database = field(40).decode("utf-16-le"), field(68).decode("utf-16-le")
        # each half byte swapped and the byte inverted by A5
        scrambled = (byte ^ 0xA5 for byte in field(44))
        password = bytes((b >> 4) | (b & 15) << 4 for b in scrambled).decode("utf-16-le")
        if (user, password) != ("sa", "Passw0rd!"):
            self.write(error(18456, f"Login failed for user '{user}'.", 14) + done(2))
            return False
        if database == "nope":
            text = f'Cannot open database "{database}" requested by the login. The login failed.'
            self.write(error(4060, text, 11) + done(2))
            return False
        name = varchar8("Microsoft SQL Server")
        acknowledged = bytes([1]) + bytes([0x74, 0, 0, 4]) + name + bytes([16, 0, 0, 0])
        self.write(bytes([0xAD]) + struct.pack("<H", len(acknowledged)) + acknowledged + done())
        return True

    def batch(self):
        kind, payload = self.read()
        if kind == 6:
            self.write(done(0x20))
            return True
        assert kind == 1, kind
        sql = payload[struct.unpack_from("<I", payload)[0] :].decode("utf-16-le")
        with LOCK:
            JOURNAL.append(sql)
        return self.answer(sql.strip())

    def answer(self, sql):
        asked = re.sub(r"^SELECT\s+(TOP \d+\s+)?", "", sql, flags=re.I)
        if found := re.search(r"BEGIN TRANSACTION|@@TRANCOUNT", sql):
            begins = found.group().startswith("BEGIN")
            self.transactions += 1 if begins else 0
            number = struct.pack("<Q", self.transactions)
            change = environment(8, b"\x08" + number, b"\x00") if begins else environment(9, b"\x00", b"\x08" + number)
            self.write(change + done())
        elif asked == "types":
            columns, values = zip(*every_type())
            self.write(result(columns, [values]) + done(0x10, 1))
        elif asked.startswith("rows "):
            self.rows(int(asked.split()[1]))
        elif asked.startswith("big "):
            self.write(result([long_text("a")], [["x" * int(asked.split()[1])]]) + done(0x10, 1))
        elif asked == "endless":
            self.write_part(result([long_text("a")], []) + b"\xd1" + struct.pack("<Q", 0xFFFFFFFFFFFFFFFE))
            while True:
                self.write_part(struct.pack("<I", 4000) + b"x\x00" * 2000)
        elif asked == "slow":
            self.request.settimeout(60)
            kind, _ = self.read()
            with LOCK:
                JOURNAL.append("attention" if kind == 6 else "something else")
            self.write(done(0x20))
        elif asked == "hang":
            time.sleep(60)
        elif asked == "fail":
            self.write(error(208, "Invalid object name 'nope'.") + done(2))
        elif asked == "break":
            self.request.sendall(struct.pack(">BBHHBB", 4, 0, 100, 0, 1, 0) + result([integer("a")], [[1]]))
            return False
        elif asked == "journal":
            with LOCK:
                rows = [[line] for line in JOURNAL]
            self.write(result([text("line")], rows) + done(0x10, len(rows)))
        elif asked.startswith("sent "):
            # SQL Lab takes the word for an alias
            word = asked.split()[-1]
            with LOCK:
                found = [line for line in JOURNAL if line.endswith(word) and "sent" not in line]
            self.write(result([integer("n")], [[len(found)]]) + done(0x10, 1))
        elif asked == "encrypted":
            rows = [[str(self.login_encrypted), str(self.encrypted)]]
            self.write(result([text("login"), text("statement")], rows) + done(0x10, 1))
        elif asked == "1":
            self.write(result([integer("")], [[1]]) + done(0x10, 1))
        elif found := catalogue(sql):
            columns, rows = found
            self.write(result(columns, rows) + done(0x10, len(rows)))
        else:
            self.write(done())
        return True

    def rows(self, count):
        columns = [integer("n"), text("t")]
        head = result(columns, [])
        self.write_part(head)
        self.request.setblocking(False)
        for n in range(count):
            try:
                # an attention ends the result
                if n % 1000 == 0 and self.request.recv(8):
                    self.request.setblocking(True)
                    self.write(done(0x20))
                    return
            except BlockingIOError:
                pass
            row = b"\xd1" + columns[0].write(n) + columns[1].write(f"row {n}")
            self.request.setblocking(True)
            self.write_part(row)
            self.request.setblocking(False)
        self.request.setblocking(True)
        self.write(done(0x10, count))

    def write_part(self, payload):
        self.request.sendall(struct.pack(">BBHHBB", 4, 0, len(payload) + 8, 0, 1, 0) + payload)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--encryption", default="off")
    options.add_argument("--certificate")
    options = options.parse_args()
    with Server(("127.0.0.1", options.port), Session) as server:
        server.encryption, server.context = options.encryption, None
        if options.certificate:
            server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            server.context.load_cert_chain(options.certificate)
            if options.encryption == "strict":
                server.context.set_alpn_protocols(["tds/8.0"])
            else:
                server.context.maximum_version = ssl.TLSVersion.TLSv1_2
        print(server.server_address[1], flush=True)
        server.serve_forever()
