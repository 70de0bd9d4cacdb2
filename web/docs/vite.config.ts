import { defineConfig } from 'vite';
import { gzipOnly } from '../vite.config';

// The page of the REST addresses is built after the playground, into its own
// directory. The server serves it with or without the playground.
export default defineConfig({
  base: './',
  plugins: [gzipOnly()],
  build: {
    target: 'es2022',
    outDir: '../dist/docs',
    emptyOutDir: true,
    chunkSizeWarningLimit: 2048, // Swagger UI is one file
    reportCompressedSize: false,
  },
});
