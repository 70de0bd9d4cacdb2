import { gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

// The server embeds the build and sends it as it is, so every file is kept as
// its gzip copy only. dist/.gitkeep lets the Go build pass where nobody has
// built the page; Vite empties the directory, so it is put back.
export function gzipOnly(): Plugin {
  return {
    name: 'gzip-only',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        for (const [name, file] of Object.entries(bundle)) {
          const content = file.type === 'chunk' ? file.code : file.source;
          delete bundle[name];
          this.emitFile({ type: 'asset', fileName: `${name}.gz`, source: gzipSync(content, { level: 9 }) });
        }
        this.emitFile({ type: 'asset', fileName: '.gitkeep', source: '' });
      },
    },
  };
}

export default defineConfig({
  base: './', // also right behind a proxy that serves us below a path
  plugins: [gzipOnly()],
  build: {
    target: 'es2022',
    chunkSizeWarningLimit: 4096, // Monaco is what it is
    reportCompressedSize: false,
    rolldownOptions: {
      // "use client" in a library's file means something to servers that render React; there is none here.
      onwarn: (warning, warn) => warning.code !== 'MODULE_LEVEL_DIRECTIVE' && warn(warning),
    },
  },
  worker: { format: 'es' },
});
