import { gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

// The server embeds the build and sends it without changes, so only the gzip
// copy of each file is kept. dist/.gitkeep lets the Go build pass without a built
// page; Vite empties the directory, so the plugin writes the file again.
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
  base: './', // also works behind a proxy that serves us below a path
  plugins: [gzipOnly()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // the content security policy allows no data: addresses
    chunkSizeWarningLimit: 1024,
    reportCompressedSize: false,
    rolldownOptions: {
      // "use client" in a library's file is for servers that render React; ours does not.
      onwarn: (warning, warn) => warning.code !== 'MODULE_LEVEL_DIRECTIVE' && warn(warning),
    },
  },
});
