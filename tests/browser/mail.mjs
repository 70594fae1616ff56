// A mail server that keeps what it is sent, and what is in it.
import { createServer } from "node:net";

export async function mailServer() {
  const mails = [];
  const server = createServer((socket) => {
    let text = "";
    let inData = false;
    const say = (line) => socket.write(`${line}\r\n`);
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      text += bytes.toString("latin1");
      for (;;) {
        const end = text.indexOf(inData ? "\r\n.\r\n" : "\r\n");
        if (end < 0) return;
        const said = text.slice(0, end);
        text = text.slice(end + (inData ? 5 : 2));
        if (inData) {
          mails.push(parsed(`${said}\r\n`.replace(/^\./gm, "")));
          inData = false;
          say("250 taken");
        } else if (/^DATA/i.test(said)) {
          inData = true;
          say("354 go on");
        } else if (/^QUIT/i.test(said)) {
          say("221 bye");
          socket.end();
        } else say("250 ok");
      }
    });
    say("220 sink");
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return { mails, port: server.address().port, close: () => server.close() };
}

// Headers, and the parts that are no `multipart/…`, decoded.
function parsed(source) {
  const [head, body] = halves(source);
  const headers = {};
  for (const [, name, value] of head.replace(/\r\n[ \t]+/g, " ").matchAll(/^([\w-]+): (.*)$/gm)) {
    headers[name.toLowerCase()] = value.trim();
  }
  const boundary = /^multipart\/.*boundary="?([^";]+)/i.exec(headers["content-type"] ?? "")?.[1];
  if (boundary) {
    const inside = body.split(`--${boundary}`).slice(1, -1);
    return { headers, parts: inside.flatMap((part) => parsed(part.replace(/^\r\n/, "")).parts) };
  }
  return { headers, parts: [{ headers, content: decoded(headers["content-transfer-encoding"], body) }] };
}

function halves(source) {
  const at = source.indexOf("\r\n\r\n");
  return at < 0 ? [source, ""] : [source.slice(0, at), source.slice(at + 4)];
}

function decoded(encoding = "", body) {
  if (/base64/i.test(encoding)) return Buffer.from(body, "base64");
  if (!/quoted-printable/i.test(encoding)) return Buffer.from(body, "latin1");
  const char = (_, hex) => String.fromCharCode(parseInt(hex, 16));
  const plain = body.replace(/=\r\n/g, "").replace(/=([0-9A-F]{2})/gi, char);
  return Buffer.from(plain, "latin1");
}
