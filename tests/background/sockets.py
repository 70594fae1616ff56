"""A WebSocket client of the standard library, for tests."""

import base64, os, select, socket, struct, time, urllib.parse

QUIET = 1.5


def _handshake(base, path, cookie, headers=()):
    url = urllib.parse.urlsplit(base)
    stream = socket.create_connection((url.hostname, url.port), timeout=30)
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {url.netloc}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key}",
        *headers,
    ]
    if cookie:
        lines.append(f"Cookie: {cookie}")
    stream.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    return stream


def hangs_up(base, cookie, headers=()):
    """How a handshake that is refused ends, and what came before."""
    stream, received = _handshake(base, "/", cookie, headers), b""
    try:
        while piece := stream.recv(4096):
            received += piece
            if b"\r\n\r\n" in received:
                break
    except OSError:
        pass
    stream.close()
    return ("error: socket hang up" if not received else received.split(b"\r\n")[0].decode()), received


class Socket:
    def __init__(self, base, path, cookie, headers=()):
        self.stream, self.buffer, self.closed = _handshake(base, path, cookie, headers), b"", False
        while b"\r\n\r\n" not in self.buffer:
            piece = self.stream.recv(4096)
            if not piece:
                raise ConnectionError(f"no WebSocket: {self.buffer!r}")
            self.buffer += piece
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise ConnectionError(head.decode())

    def _frame(self, timeout):
        """One frame (kind, payload), or None when none came in time."""
        until = time.time() + timeout
        while True:
            if len(self.buffer) >= 2:
                length, at = self.buffer[1] & 127, 2
                if length == 126 and len(self.buffer) >= 4:
                    length, at = struct.unpack(">H", self.buffer[2:4])[0], 4
                elif length == 127 and len(self.buffer) >= 10:
                    length, at = struct.unpack(">Q", self.buffer[2:10])[0], 10
                elif length > 125:
                    at = 1 << 62
                if len(self.buffer) >= at + length:
                    kind, payload = self.buffer[0] & 15, self.buffer[at : at + length]
                    self.buffer = self.buffer[at + length :]
                    return kind, payload
            rest = until - time.time()
            if rest <= 0 or not select.select([self.stream], [], [], rest)[0]:
                return None
            try:
                piece = self.stream.recv(65536)
            except OSError:
                piece = b""
            if not piece:
                self.closed = True
                return None
            self.buffer += piece

    def _send(self, kind, payload):
        mask = os.urandom(4)
        head = bytes([128 | kind]) + (
            bytes([128 | len(payload)])
            if len(payload) < 126
            else bytes([254]) + struct.pack(">H", len(payload))
        )
        self.stream.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload)))

    def send(self, text):
        self._send(1, text.encode())

    def frames(self, count, timeout=10):
        """So many texts, and whatever comes in the quiet time after them."""
        texts, until = [], time.time() + timeout
        while not self.closed and time.time() < until:
            frame = self._frame(until - time.time() if len(texts) < count else QUIET)
            if frame is None:
                break
            if frame[0] == 1:
                texts.append(frame[1].decode())
            elif frame[0] == 9:
                self._send(10, frame[1])
        return texts

    def pings(self, count, answer=True, limit=150):
        """(time, payload) of pings until so many came or the socket closed."""
        found, until = [], time.time() + limit
        while len(found) < count and not self.closed and time.time() < until:
            frame = self._frame(until - time.time())
            if frame and frame[0] == 9:
                found.append((time.time(), frame[1].decode()))
                if answer:
                    self._send(10, frame[1])
        return found

    def say_goodbye(self):
        """Closes without a code; 1005 when the server answers the same."""
        self._send(8, b"")
        while frame := self._frame(10):
            if frame[0] == 8:
                return struct.unpack(">H", frame[1][:2])[0] if frame[1] else 1005
        return 1006

    def is_open(self):
        while frame := self._frame(0.2):
            if frame[0] == 8:
                return False
        return not self.closed
