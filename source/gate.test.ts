import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CheckResource, type GateFacts, gateFolder, type OwnerType } from './gate.ts';
import { DEFAULT_LIMITS, type SourceLimits } from './limits.ts';
import { parseFolder } from './parse.ts';
import { type Folder, splitTree } from './split.ts';
import { renderViolations } from './violation.ts';

const encode = (text: string | Uint8Array): Uint8Array =>
  typeof text === 'string' ? new TextEncoder().encode(text) : text;

function folderOf(files: Readonly<Record<string, string | Uint8Array>>): Folder {
  const tree = Object.entries(files).map(([name, text]) => ({
    path: `tenants/x/t-acme/${name}`,
    validName: true,
    bytes: encode(text),
  }));
  const folder = splitTree(tree, 'x', () => true).folders.get('t-acme');
  if (folder === undefined) throw new Error('no folder');
  return folder;
}

const accept: CheckResource = () => [];

async function judge(
  files: Readonly<Record<string, string | Uint8Array>>,
  options: { owner?: OwnerType; check?: CheckResource; limits?: SourceLimits } = {},
) {
  const limits = options.limits ?? DEFAULT_LIMITS;
  const { documents, violations } = await parseFolder(folderOf(files), limits);
  const facts: GateFacts = { namespace: 't-acme', owner: options.owner ?? 'Reseller' };
  return violations.length > 0
    ? { ok: false as const, violations }
    : gateFolder(documents, facts, options.check ?? accept, limits);
}

async function refusals(
  files: Readonly<Record<string, string | Uint8Array>>,
  options: Parameters<typeof judge>[1] = {},
): Promise<string> {
  const result = await judge(files, options);
  return result.ok ? 'accepted' : renderViolations(result.violations);
}

const desk = (name = 'desk', extra = ''): string =>
  `apiVersion: sublet.dev/v1alpha1\nkind: RDPInstance\nmetadata:\n  name: ${name}\n${extra}`;

describe('accepted', () => {
  test('several documents a file, empty ones and comments skipped, .yml taken', async () => {
    const result = await judge({
      'a.yaml': `# nothing\n---\n${desk('one')}---\n---\n${desk('two')}---\n# end\n`,
      'b.yml': desk('three'),
      'c.yaml': '',
    });
    expect(result).toMatchObject({ ok: true, resources: ['RDPInstance/one', 'RDPInstance/three', 'RDPInstance/two'] });
    expect(result.ok && result.files.map((file) => file.name)).toEqual(['a.yaml', 'b.yml']);
  });

  test('comments and layout do not change what is published; a value does', async () => {
    const files = async (text: string) => {
      const result = await judge({ 'a.yaml': text });
      return result.ok ? result.files : [];
    };
    expect(await files(`# hello\n${desk()}`)).toEqual(
      await files(desk().replace('metadata:\n  name: desk', 'metadata: {name: "desk"}')),
    );
    expect(await files(desk('desk', 'spec: {a: 1}'))).not.toEqual(await files(desk('desk', 'spec: {a: 2}')));
  });

  test('strings that look like other things stay strings', async () => {
    const result = await judge({
      'a.yaml': desk('desk', 'spec: {at: 2026-11-21T09:00:00Z, b: "yes", c: "012", price: "28.00", text: "12:30:00"}'),
    });
    expect(result.ok && result.files[0]?.text).toContain('"at": "2026-11-21T09:00:00Z"');
    expect(result.ok && result.files[0]?.text).toContain('"c": "012"');
  });

  test('a few aliases', async () => {
    expect(await judge({ 'a.yaml': desk('desk', 'spec: {a: &x [1], b: *x, c: *x}') })).toMatchObject({ ok: true });
  });

  test('tenants are read for the folders below', async () => {
    const tenant = (name: string, type: string) =>
      `apiVersion: sublet.dev/v1alpha1\nkind: Tenant\nmetadata: {name: ${name}}\nspec: {type: ${type}}\n`;
    const result = await judge({ 'a.yaml': `${tenant('bob', 'Customer')}---\n${tenant('eve', 'Reseller')}` });
    expect(result).toMatchObject({
      tenants: [
        { name: 'bob', type: 'Customer' },
        { name: 'eve', type: 'Reseller' },
      ],
    });
  });
});

describe('files', () => {
  test.each([
    ['kustomization.yaml', 'kustomization: a tenant folder has no kustomization of its own; remove the file'],
    ['Kustomization', 'kustomization:'],
    ['kustomization.YML', 'kustomization:'],
    ['sub/a.yaml', 'flat: a tenant folder is flat; move the file up'],
    ['sub/kustomization.yml', 'flat:'],
    ['A.YAML', 'file-name:'],
    ['.hidden.yaml', 'file-name:'],
    ['a b.yaml', 'file-name:'],
    ['ü.yaml', 'file-name:'],
    [`${'n'.repeat(120)}.yaml`, 'file-name:'],
  ])('refuses %s', async (name, rule) => {
    expect(await refusals({ [name]: desk() })).toContain(`${name}: ${rule}`);
  });

  test('ignores what Flux does not read', async () => {
    expect(
      await judge({
        'README.md': 'yes: [',
        'logo.png': 'x',
        'values.json': '{}',
        'notes/README.md': '',
        'a.yaml': desk(),
      }),
    ).toMatchObject({ ok: true, resources: ['RDPInstance/desk'] });
  });

  test('refuses names that differ in letter case only, and names that are not UTF-8', async () => {
    expect(await refusals({ 'a.yaml': desk('one'), 'A.yaml': desk('two') })).toContain(
      'a.yaml: file-name: A.yaml differs from it in letter case only',
    );
    const folder = {
      namespace: 't-acme',
      rawDigest: '',
      files: [{ name: 'a\ufffd.yaml', validName: false, bytes: encode(desk()) }],
    };
    expect(renderViolations((await parseFolder(folder, DEFAULT_LIMITS)).violations)).toContain(
      'the name is not valid UTF-8',
    );
  });

  test.each([
    ['fileBytes', { 'a.yaml': `# ${'x'.repeat(1024 * 1024)}\n${desk()}` }, 'more than fileBytes 131072'],
    [
      'folderBytes',
      Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`f${i}.yaml`, `# ${'x'.repeat(120_000)}`])),
      'more than folderBytes 4194304',
    ],
    [
      'folderFiles',
      Object.fromEntries(Array.from({ length: 5_001 }, (_, i) => [`f${i}.yaml`, ''])),
      'has 5001 YAML files, more than folderFiles 5000',
    ],
    [
      'folderResources',
      Object.fromEntries(
        Array.from({ length: 6 }, (_, f) => [
          `f${f}.yaml`,
          Array.from({ length: 900 }, (_, i) => desk(`d${f}-${i}`)).join('---\n'),
        ]),
      ),
      'has 5400 resources, more than folderResources 5000',
    ],
  ])('holds %s', async (rule, files, message) => {
    const text = await refusals(files);
    expect(text).toContain(`${rule}: `);
    expect(text).toContain(message);
  });
});

describe('YAML', () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghijklmnopqrstuv'
    .split('')
    .map((k, i) => `${k}: &${k} [${Array.from({ length: 9 }, () => `*${'abcdefghijklmnopqrstuv'[i]}`).join(',')}]`)
    .join('\n')}`;
  test.each([
    ['broken', `${desk()}spec: {a: [}\n`, 'a.yaml:5: yaml:'],
    ['a tab', `${desk()}spec:\n\ta: 1\n`, 'a.yaml:6: yaml:'],
    ['a key twice', `${desk()}spec: {a: 1, a: 2}\n`, 'a.yaml:5: yaml: the key "a" stands in the map twice'],
    ['an alias bomb', bomb, 'yamlAliases: the document has more than yamlAliases 16 aliases'],
    ['an alias to itself', 'a: &a [*a]', 'yaml'],
    ['an unknown alias', `${desk()}spec: *nope\n`, 'a.yaml:5: yaml: '],
    ['flow nesting', `a: ${'['.repeat(50_000)}`, 'yamlDepth: the document nests more than yamlDepth 32 levels'],
    ['block nesting', Array.from({ length: 200 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'), 'yamlDepth'],
    ['list nesting', `${'- '.repeat(50_000)}a`, 'yamlDepth'],
    ['a foreign tag', `${desk()}spec: !!js/function "x"\n`, 'a.yaml:5: yaml-tag: Unresolved tag'],
    ['a local tag', `${desk()}spec: !secret x\n`, 'a.yaml:5: yaml-tag:'],
    ['a binary tag', `${desk()}spec: !!binary aGk=\n`, 'a.yaml:5: yaml-tag:'],
    ['a directive', `%YAML 1.1\n---\n${desk()}`, 'yaml-directive: a %YAML directive is refused'],
    ['a merge key', `${desk()}base: &b {x: 1}\nspec: {<<: *b}\n`, 'a.yaml:6: ambiguous-yaml: merge keys'],
    [
      'yes',
      `${desk()}spec: {a: yes}\n`,
      'a.yaml:5: ambiguous-yaml: "yes" without quotes is a boolean to some YAML readers',
    ],
    ['a key that is a boolean', `${desk()}spec: {on: 1}\n`, 'a.yaml:5: ambiguous-yaml: "on"'],
    ['an octal number', `${desk()}spec: {a: 0644}\n`, 'ambiguous-yaml: "0644"'],
    ['a sexagesimal number', `${desk()}spec: {a: 12:30:00}\n`, 'ambiguous-yaml: "12:30:00"'],
    ['underscores', `${desk()}spec: {a: 1_000}\n`, 'ambiguous-yaml: "1_000"'],
    ['an integer beyond 2^53', `${desk()}spec: {a: 90071992547409931}\n`, 'a.yaml:5: number: '],
    ['infinity', `${desk()}spec: {a: .inf}\n`, 'number: the number is not finite'],
    ['__proto__', `${desk()}spec:\n  __proto__: {admin: true}\n`, 'a.yaml:6: key: "__proto__" cannot be a key'],
    ['half a surrogate pair', `${desk()}spec: {a: "\\ud800"}\n`, 'text: the text holds half of a surrogate pair'],
    ['a map as key', `${desk()}spec:\n  ? {a: 1}\n  : b\n`, 'yaml: '],
    ['a scalar', 'hello', 'resource: a document is one resource'],
    ['a list', '[1]', 'resource: '],
    ['no name', 'apiVersion: v1\nkind: X\n', 'resource: a resource needs metadata.name'],
    ['a name that is a number', desk('12'), 'a.yaml:3: resource: a resource needs metadata.name'],
    ['a NUL', `${desk()}spec: "\0"\n`, 'a.yaml:5: text: '],
  ])('refuses %s', async (_what, text, message) => {
    const found = await refusals({ 'a.yaml': text });
    expect(found).toContain('a.yaml');
    expect(found).toContain(message);
  });

  test('refuses bytes that are not UTF-8', async () => {
    expect(await refusals({ 'a.yaml': Buffer.from([0xff, 0xfe, 0x61]) })).toBe(
      'a.yaml: utf-8: the file is not valid UTF-8',
    );
  });

  test('never throws and never changes a prototype, whatever the text', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ unit: 'binary', maxLength: 300 }),
          fc.stringMatching(/^[-:?{}[\],&*!|>'"%@` \na0_<~#]{0,200}$/),
        ),
        async (text) => {
          const result = await judge({ 'a.yaml': text });
          if (!result.ok) expect(result.violations.length).toBeGreaterThan(0);
          expect(Object.getPrototypeOf({})).toBe(Object.prototype);
          expect(Reflect.ownKeys(Object.prototype)).toHaveLength(12);
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe('folder rules', () => {
  test('a foreign namespace is refused with its line, the own one is taken', async () => {
    expect(await judge({ 'a.yaml': desk('desk', '  namespace: t-acme\n') })).toMatchObject({ ok: true });
    expect(await refusals({ 'a.yaml': desk('desk', '  namespace: t-other\n') })).toBe(
      'a.yaml:5: namespace: the folder is t-acme; a resource of another namespace goes to its folder',
    );
  });

  test.each([
    'finalizers: [x]',
    'ownerReferences: []',
    'uid: x',
    'resourceVersion: "1"',
    'generateName: x',
    'managedFields: []',
  ])('metadata.%s is not for Git', async (field) => {
    expect(await refusals({ 'a.yaml': desk('desk', `  ${field}\n`) })).toContain(
      `a.yaml:5: metadata: metadata.${field.split(':')[0]} is not for Git`,
    );
  });

  test('status is not for Git', async () => {
    expect(await refusals({ 'a.yaml': desk('desk', 'status: {}\n') })).toContain('a.yaml:5: status: ');
  });

  test.each([
    'kustomize.toolkit.fluxcd.io/prune',
    'config.kubernetes.io/local-config',
    'internal.config.kubernetes.io/path',
    'sublet.dev/tenant-id',
    'sublet.dev/held',
  ])('%s is reserved', async (key) => {
    expect(await refusals({ 'a.yaml': desk('desk', `  annotations:\n    ${key}: x\n`) })).toBe(
      `a.yaml:6: reserved: ${key} is for the software to write; remove it`,
    );
    expect(await refusals({ 'a.yaml': desk('desk', `  labels: {${key}: x}\n`) })).toContain('a.yaml:5: reserved: ');
  });

  test('one resource twice, also in two files, names the first place', async () => {
    expect(await refusals({ 'a.yaml': desk(), 'b.yaml': `# two\n${desk()}` })).toBe(
      'b.yaml:5: duplicate: RDPInstance/desk stands in a.yaml:1 too; keep one',
    );
  });

  const plan = 'apiVersion: sublet.dev/v1alpha1\nkind: Plan\nmetadata: {name: p}\n';
  test.each([
    ['Customer', plan, 'a.yaml:2: kind: the tenant of t-acme is a Customer; only a Reseller may have a Plan'],
    [
      'Root',
      desk(),
      "a.yaml:2: kind: t-acme holds Tenants, Plans and Quotas only; RDPInstance belongs in a tenant's folder",
    ],
    ['Reseller', plan, 'accepted'],
    ['Reseller', desk(), 'accepted'],
    ['Root', plan, 'accepted'],
    ['Customer', desk(), 'accepted'],
    ['Unknown', plan, 'accepted'],
  ] as const)('%s owner', async (owner, text, expected) => {
    expect(await refusals({ 'a.yaml': text }, { owner })).toBe(expected);
  });

  test('what the rules of a kind say comes with file and line, and one bad file refuses the folder', async () => {
    const check: CheckResource = (value) =>
      JSON.stringify(value).includes('bad')
        ? [{ rule: 'image', path: ['spec', 'image', 'deep'], message: 'no such image' }]
        : [];
    const files = { 'good.yaml': desk(), 'bad.yaml': `${desk('two')}spec:\n  plan: p\n  image: bad\n` };
    expect(await refusals(files, { check })).toBe('bad.yaml:7: image: no such image');
  });

  test('only the first ten violations are listed', async () => {
    const files = Object.fromEntries(Array.from({ length: 14 }, (_, i) => [`f${i}.yaml`, '[']));
    const lines = (await refusals(files)).split('\n');
    expect(lines).toHaveLength(11);
    expect(lines.at(-1)).toBe('and 4 more');
  });
});
