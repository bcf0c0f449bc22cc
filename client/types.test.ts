import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { MADE_ANEW } from './client.ts';

const FOLDER = import.meta.dirname;
const DESCRIPTION = path.join(FOLDER, '..', 'api', 'openapi.json');

it('types are those of the description; cd client/generate && npm ci && npm run generate writes them anew', async () => {
  const digest = createHash('sha256')
    .update(await readFile(DESCRIPTION))
    .digest('hex');
  const [first] = (await readFile(path.join(FOLDER, 'types.gen.ts'), 'utf8')).split('\n');
  expect(first).toContain(`sha256:${digest}.`);
});

type Operation = { readonly parameters?: readonly { readonly name: string }[] };

it('only writes that take an idempotency key are repeated', async () => {
  const { paths } = JSON.parse(await readFile(DESCRIPTION, 'utf8')) as {
    readonly paths: Readonly<Record<string, { readonly post?: Operation }>>;
  };
  const anew = Object.entries(paths).filter(
    ([url, { post }]) =>
      url.startsWith('/v1/') && post !== undefined && !post.parameters?.some(({ name }) => name === 'Idempotency-Key'),
  );
  expect(anew.map(([url]) => url).sort()).toEqual([...MADE_ANEW].sort());
});
