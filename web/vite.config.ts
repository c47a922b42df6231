import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { budget } from './budget.ts';
import { precompress } from './precompress.ts';

const STATIC_FOLDER = '../src/loadcenter/adapters/web/static';
const SERVER = process.env['LOADCENTER_URL'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [svelte(), budget(), precompress()],
  build: {
    outDir: STATIC_FOLDER,
    emptyOutDir: true,
    target: 'es2022',
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // The page runs under `default-src 'self'`: a data: address would be refused.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // ECharts is one lazy chunk of this size; budget.ts holds the whole small.
    chunkSizeWarningLimit: 700,
  },
  server: {
    proxy: { '/api': { target: SERVER, ws: true, headers: { origin: SERVER } } },
  },
  test: {
    include: ['tests/**/*.test.ts'],
  },
});
