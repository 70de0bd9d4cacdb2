import { defineConfig } from 'vite';

// The page and the server share one origin, as behind the proxy of a clinic. The header Host stays as it is, since the
// server compares it with the origin of WebSockets.
const target = process.env.CAREGRAPH_URL ?? 'http://127.0.0.1:8080';
const proxy = { '/graphql': { target, ws: true } };

export default defineConfig({ server: { proxy }, preview: { proxy } });
