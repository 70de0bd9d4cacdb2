import { pageAnswer, NO_ANSWER, type Answer, type Request, type Sent } from './send';

type Message = { type: string; payload?: unknown };

const done = 1000; // the code of a connection that ends as wanted

/**
 * Subscribes over a WebSocket, by the protocol graphql-transport-ws, until the server or
 * the signal ends it. Calls onPush with each answer; milliseconds count from the start.
 */
export function subscribe(
  question: Request,
  authorization: string | undefined,
  signal: AbortSignal,
  onPush: (sent: Sent) => void,
): Promise<void> {
  const start = performance.now();
  const socket = new WebSocket(new URL('graphql', location.href.replace(/^http/, 'ws')), 'graphql-transport-ws');
  const say = (message: Message & { id?: string }) => socket.send(JSON.stringify(message));
  const push = (answer: Answer, text: string) =>
    onPush({ answer, bytes: new TextEncoder().encode(text).length, milliseconds: performance.now() - start, timing: '' });

  socket.onopen = () => say({ type: 'connection_init', payload: authorization === undefined ? {} : { Authorization: authorization } });
  socket.onmessage = ({ data }: MessageEvent<string>) => {
    const { type, payload } = JSON.parse(data) as Message;
    if (type === 'connection_ack') {
      say({ id: '1', type: 'subscribe', payload: question });
    } else if (type === 'next') {
      push(payload as Answer, JSON.stringify(payload));
    } else if (type === 'error') {
      push({ errors: payload as NonNullable<Answer['errors']> }, JSON.stringify(payload));
      socket.close(done);
    } else if (type === 'complete') {
      socket.close(done);
    } else if (type === 'ping') {
      say({ type: 'pong' });
    }
  };
  return new Promise(resolve => {
    signal.addEventListener('abort', () => {
      socket.close(done);
      resolve();
    });
    socket.onclose = ({ code, reason }) => {
      if (code !== done && !signal.aborted) {
        onPush(pageAnswer(NO_ANSWER, `The connection ended with code ${code}${reason && `: ${reason}`}.`));
      }
      resolve();
    };
  });
}
