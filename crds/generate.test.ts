import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { listStale, renderGenerated } from './generate.ts';
import { isRecord } from './rules/walk.ts';
import { readValidCases } from './testdata/cases.ts';

const run = promisify(execFile);
const CRDS = import.meta.dirname;

describe('generate', () => {
  it('finds the tree clean', async () => {
    expect(await listStale(await renderGenerated())).toEqual([]);
  });

  it('names what differs, what is missing and what is superfluous', async () => {
    const files = new Map(await renderGenerated());
    files.set('crds/sublet.dev_plans.yaml', 'other');
    files.set('docs/reference/missing.md', 'new');
    files.delete('crds/schemas/plan.schema.json');
    expect(await listStale(files)).toEqual([
      'crds/schemas/plan.schema.json',
      'crds/sublet.dev_plans.yaml',
      'docs/reference/missing.md',
    ]);
  });

  it('exits 0 with --check on a clean tree, and 2 on arguments that it does not know', async () => {
    const script = path.join(CRDS, 'generate.ts');
    expect(await run(process.execPath, [script, '--check'])).toMatchObject({ stdout: '', stderr: '' });
    await expect(run(process.execPath, [script, '--fix'])).rejects.toMatchObject({
      code: 2,
      stderr: 'generate: unknown argument --fix; the only one is --check\n',
    });
  });

  it('documents every kind by the same skeleton', async () => {
    const text = (await renderGenerated()).get('docs/reference/api.md') ?? '';
    for (const kind of ['Tenant', 'Plan', 'Quota', 'RDPInstance']) {
      const section = text.split(`\n## ${kind}\n`)[1]?.split('\n## ')[0] ?? '';
      const headings = [...section.matchAll(/^### (.*)$/gm)].map(([, heading]) => heading);
      expect(headings).toEqual([
        'Example',
        `Writing a ${kind} spec`,
        'Rules',
        expect.stringMatching(/^Working with .*: status$/),
        'Conditions and reasons',
      ]);
      expect(section).toContain('| `Succeeded` |');
    }
  });
});

describe('editor schemas', async () => {
  const folder = path.join(CRDS, 'schemas');
  const texts = await Promise.all((await readdir(folder)).map((file) => readFile(path.join(folder, file), 'utf8')));
  const validators = new Map(
    texts.map((text) => {
      const schema: unknown = JSON.parse(text);
      const title = isRecord(schema) ? schema.title : undefined;
      return [title, new Ajv({ strict: false, unicodeRegExp: true }).compile(isRecord(schema) ? schema : {})];
    }),
  );

  it.each((await readValidCases()).filter(({ name }) => !name.endsWith('-nulls')))('accept $name', ({ resource }) => {
    const validate = validators.get(isRecord(resource) ? resource.kind : undefined);
    expect(validate?.(resource), JSON.stringify(validate?.errors)).toBe(true);
  });

  it('refuse what has the wrong form, unknown members and resources of other kinds', () => {
    const validate = validators.get('RDPInstance');
    const base = parse(
      'apiVersion: sublet.dev/v1alpha1\nkind: RDPInstance\nmetadata: {name: a}\nspec: {plan: p, image: i, username: a}',
    );
    expect(validate?.(base)).toBe(true);
    expect(validate?.({ ...base, kind: 'Tenant' })).toBe(false);
    expect(validate?.({ ...base, spec: { ...base.spec, username: 'A b' } })).toBe(false);
    expect(validate?.({ ...base, spec: { ...base.spec, hostDisk: {} } })).toBe(false);
  });
});
