#!/usr/bin/env python3
"""A directory that speaks as much of LDAP (RFC 4511) as signing in needs: simple binds, and searches for equality.

    python3 tests/servers/ldap_directory.py [hang|huge|garbage]     prints the port that it listens on

`cn=reader` with `reads` may search; people are below. A bind with an empty password is let in as nobody, as directories
do. With an argument every search is answered with nothing, with an entry of 10 MB, or with what is no LDAP. Ends with
its standard input.
"""

import socketserver, sys, threading, time

LIE = sys.argv[1] if len(sys.argv) > 1 else ""
PASSWORDS = {"cn=reader": "reads", "uid=alice,ou=people": "alice-pass", "uid=b*b,ou=people": "bob-pass"}
PEOPLE = [
    ("uid=alice,ou=people", {"uid": ["Alice"], "givenName": ["Alice"], "sn": ["Archer"],
                             "mail": ["alice@example.net"], "memberOf": ["cn=analysts,ou=groups"]}),
    ("uid=b*b,ou=people", {"uid": ["b*b"], "sn": ["Bee"]}),
    ("uid=twin,ou=a", {"uid": ["twin"]}),
    ("uid=twin,ou=b", {"uid": ["twin"]}),
]  # fmt: skip


def element(tag, content):
    size = len(content)
    length = bytes([size]) if size < 128 else b"\x84" + size.to_bytes(4, "big")
    return bytes([tag]) + length + content


def elements(data):
    while data:
        size, start = data[1], 2
        if size >= 128:
            start += size - 128
            size = int.from_bytes(data[2:start], "big")
        yield data[0], data[start : start + size]
        data = data[start + size :]


def result(tag, code):
    return element(tag, element(10, bytes([code])) + element(4, b"") + element(4, b""))


def fits(tag, content, person):
    if tag == 0xA0:
        return all(fits(*part, person) for part in elements(content))
    if tag == 0xA3:
        name, value = (text.decode() for _, text in elements(content))
        # as directories compare: without case and without blanks around
        return value.strip().lower() in [own.lower() for own in person.get(name, [])]
    return tag == 0x87 and content.decode() in person


def entry(dn, person):
    listed = b""
    for name, values in person.items():
        texts = b"".join(element(4, value.encode()) for value in values)
        listed += element(0x30, element(4, name.encode()) + element(0x31, texts))
    return element(0x64, element(4, dn.encode()) + element(0x30, listed))


class Directory(socketserver.BaseRequestHandler):
    def handle(self):
        who, waiting = None, b""
        while piece := self.request.recv(65536):
            waiting += piece
            for tag, message in elements(waiting):
                (_, number), (kind, content) = elements(message)
                reply = lambda body: self.request.sendall(element(0x30, element(2, number) + body))  # noqa: B023
                if kind == 0x60:
                    _, (_, dn), (_, password) = elements(content)
                    right = not password or PASSWORDS.get(dn.decode()) == password.decode()
                    who = dn.decode() if right and password else None
                    reply(result(0x61, 0 if right else 49))
                elif kind == 0x63 and LIE == "hang":
                    time.sleep(60)
                elif kind == 0x63 and LIE == "garbage":
                    self.request.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                elif kind == 0x63 and LIE == "huge":
                    reply(entry("uid=alice", {"uid": ["x" * (10 << 20)]}))
                elif kind == 0x63 and who:
                    asked = list(elements(content))[6]
                    for dn, person in PEOPLE:
                        if fits(*asked, person):
                            reply(entry(dn, person))
                    reply(result(0x65, 0))
                elif kind == 0x63:
                    reply(result(0x65, 50))
            waiting = b""


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


server = Server(("127.0.0.1", 0), Directory)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
