// The network between an app and the server, which a test can cut.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** Opens a port that leads to the server. `cut` ends all connections and refuses new ones until `repair`. */
export async function buildRoad(base) {
  const { hostname, port } = new URL(base);
  const open = new Set();
  const road = createServer(near => {
    const far = connect(port, hostname);
    for (const [one, other] of [[near, far], [far, near]]) {
      open.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => open.delete(one) && other.destroy());
    }
    near.pipe(far).pipe(near);
  });
  const listen = at => once(road.listen(at, '127.0.0.1'), 'listening');
  await listen(0);
  const at = road.address().port;
  return {
    base: `http://127.0.0.1:${at}`,
    async cut() {
      if (!road.listening) return;
      const closed = once(road, 'close');
      road.close();
      open.forEach(socket => socket.destroy());
      await closed;
    },
    repair: () => listen(at),
  };
}
