// Bundles the `sublet` command, with everything that it needs, into one file for the container image: sublet.mjs in the folder
// that is named, or in dist/image, where the Containerfile looks for it.
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

const ROOT = path.join(import.meta.dirname, '..', '..');
const OUTPUT = path.resolve(process.argv[2] ?? path.join(ROOT, 'dist', 'image'));
// Some dependencies are CommonJS and call require, which an ES module does not have by itself.
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

await rm(path.join(OUTPUT, 'sublet.mjs'), { force: true });
const result = await build({
  absWorkingDir: ROOT,
  entryPoints: ['cli/main.ts'],
  outfile: path.join(OUTPUT, 'sublet.mjs'),
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  // The embedded world is for a checkout, and the image without simulators.
  external: ['./embedded/dev.ts'],
  sourcemap: 'linked',
  banner: { js: REQUIRE },
  logLevel: 'warning',
  metafile: true,
});
for (const [file, { bytes }] of Object.entries(result.metafile.outputs)) {
  process.stdout.write(`${file}  ${Math.round(bytes / 1024)} KiB\n`);
}
