// A proxy that collects each answer until it is complete, as many do, except answers whose header X-Accel-Buffering forbids it.

import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { Reports } from './reports.mjs';

/** Starts a proxy of a server. `passed` reports what went to clients, and `requests` counts what came. */
export async function startProxy(server) {
  const proxy = { passed: new Reports(), requests: 0 };
  const http = createServer((asked, answer) => {
    proxy.requests++;
    const forwarded = request(server.base + asked.url, { method: asked.method, headers: asked.headers }, received => {
      answer.writeHead(received.statusCode, received.headers);
      const collected = [];
      const isCollected = received.headers['x-accel-buffering'] !== 'no';
      received.on('data', chunk => {
        if (isCollected) {
          collected.push(chunk);
        } else {
          answer.write(chunk);
          proxy.passed.add(String(chunk));
        }
      });
      received.on('end', () => answer.end(Buffer.concat(collected)));
    });
    forwarded.on('error', () => answer.destroy());
    answer.on('close', () => forwarded.destroy());
    asked.pipe(forwarded);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  proxy.base = `http://127.0.0.1:${http.address().port}`;
  proxy.stop = () => {
    http.closeAllConnections();
    http.close();
  };
  return proxy;
}
