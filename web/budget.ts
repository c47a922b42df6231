import { gzipSync } from 'node:zlib';
import type { Plugin, Rolldown } from 'vite';

/** What a browser loads before the first page is usable, compressed. */
const FIRST_LOAD_BYTES = 64_000;
/** Everything, with the chart of the history and the pages that are loaded when they are opened. */
const ALL_BYTES = 320_000;

/** A plugin that fails the build when the view has grown heavier than it may be. */
export function budget(): Plugin {
  return {
    name: 'budget',
    apply: 'build',
    generateBundle(_options, bundle) {
      const files = Object.values(bundle);
      const first = sum(files.filter((file) => isFirst(file, bundle)));
      const all = sum(files);
      this.info(`first load ${kb(first)} of ${kb(FIRST_LOAD_BYTES)}, all ${kb(all)} of ${kb(ALL_BYTES)} (gzip)`);
      if (first > FIRST_LOAD_BYTES || all > ALL_BYTES) {
        this.error('the view is too heavy: load what is not needed at first by import(), or do without it');
      }
    },
  };
}

/** Entries, what they import without waiting, and their styles. */
function isFirst(file: Rolldown.OutputAsset | Rolldown.OutputChunk, bundle: Rolldown.OutputBundle): boolean {
  const chunks = Object.values(bundle).filter((one) => one.type === 'chunk');
  const wanted = new Set(chunks.filter((chunk) => chunk.isEntry).map((chunk) => chunk.fileName));
  for (const name of wanted) chunks.find((chunk) => chunk.fileName === name)?.imports.forEach((used) => wanted.add(used));
  if (file.type === 'chunk') return wanted.has(file.fileName);
  const lazyStyles = chunks.filter((chunk) => !wanted.has(chunk.fileName)).flatMap((chunk) => [...(chunk.viteMetadata?.importedCss ?? [])]);
  return !lazyStyles.includes(file.fileName);
}

function sum(files: (Rolldown.OutputAsset | Rolldown.OutputChunk)[]): number {
  return files.reduce((total, file) => total + gzipSync(file.type === 'chunk' ? file.code : file.source).length, 0);
}

function kb(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
