import { defineConfig } from 'vite';
import { gzipOnly } from '../vite.config';

// The page of the REST addresses is built after the playground, into a
// directory of its own, and is served without it, too.
export default defineConfig({
  base: './',
  plugins: [gzipOnly()],
  build: {
    target: 'es2022',
    outDir: '../dist/docs',
    emptyOutDir: true,
    chunkSizeWarningLimit: 2048, // Swagger UI comes as one file
    reportCompressedSize: false,
  },
});
