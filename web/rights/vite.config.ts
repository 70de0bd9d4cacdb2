import { defineConfig } from 'vite';
import { gzipOnly } from '../vite.config';

// The page of the rights is built as /docs/ is: into its own directory, served with or without the playground.
export default defineConfig({
  base: './',
  plugins: [gzipOnly()],
  build: {
    target: 'es2022',
    outDir: '../dist/rights',
    emptyOutDir: true,
    assetsInlineLimit: 0, // the page's policy has no data: addresses
    reportCompressedSize: false,
  },
});
