// A reverse proxy that shows one server below `/bi/`, and nothing else: what is asked for outside is written down.
import { createServer, request } from "node:http";
import { connect } from "node:net";

const ROOT = "/bi";

// With `strips` the path is taken off and told in headers, as a proxy in front of a server at `/` does.
export async function proxy(strips) {
  const outside = [];
  let target;
  const own = () => `127.0.0.1:${server.address().port}`;
  const forwarded = (asked) => {
    const headers = { ...asked.headers, "x-forwarded-host": own(), "x-forwarded-proto": "http" };
    if (strips) headers["x-forwarded-prefix"] = ROOT;
    return { path: strips ? asked.url.slice(ROOT.length) || "/" : asked.url, headers };
  };
  const isBelow = (asked) => asked.url === ROOT || asked.url.startsWith(`${ROOT}/`);
  const server = createServer((asked, answer) => {
    if (!isBelow(asked)) {
      outside.push(`${asked.method} ${asked.url}`);
      answer.writeHead(404).end("outside");
      return;
    }
    const { hostname, port } = new URL(target);
    const on = request({ hostname, port, method: asked.method, ...forwarded(asked) }, (said) => {
      answer.writeHead(said.statusCode, said.rawHeaders);
      said.pipe(answer);
    });
    on.on("error", () => answer.destroy());
    asked.pipe(on);
  });
  server.on("upgrade", (asked, socket, head) => {
    socket.on("error", () => {});
    if (!isBelow(asked)) {
      outside.push(`upgrade ${asked.url}`);
      socket.destroy();
      return;
    }
    const { hostname, port } = new URL(target);
    const { path, headers } = forwarded(asked);
    const on = connect(Number(port), hostname, () => {
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
      on.write(`GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
      on.write(head);
      on.pipe(socket).pipe(on);
    });
    on.on("error", () => socket.destroy());
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return {
    base: `http://${own()}${ROOT}`,
    outside,
    to: (address) => {
      target = address;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
