import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkResource, type OwnerType } from '../crds/rules/index.ts';
import { type CheckResource, type GateFacts, gateFolder } from './gate.ts';
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
  const { documents, violations } = await parseFolder(folderOf(files), { limits });
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
      `apiVersion: sublet.dev/v1alpha1\nkind: Tenant\nmetadata: {name: ${name}}\nspec: {id: ${name}-1, type: ${type}}\n`;
    const result = await judge({ 'a.yaml': `${tenant('bob', 'Customer')}---\n${tenant('eve', 'Reseller')}` });
    expect(result).toMatchObject({
      tenants: [
        { name: 'bob', id: 'bob-1', type: 'Customer' },
        { name: 'eve', id: 'eve-1', type: 'Reseller' },
      ],
    });
  });
});

describe('files', () => {
  test.each([
    ['kustomization.yaml', 'Kustomization: a tenant folder has no kustomization of its own; remove the file'],
    ['Kustomization', 'Kustomization:'],
    ['kustomization.YML', 'Kustomization:'],
    ['sub/a.yaml', 'FlatFolder: a tenant folder is flat; move the file up'],
    ['sub/kustomization.yml', 'FlatFolder:'],
    ['A.YAML', 'FileName:'],
    ['.hidden.yaml', 'FileName:'],
    ['a b.yaml', 'FileName:'],
    ['ü.yaml', 'FileName:'],
    [`${'n'.repeat(120)}.yaml`, 'FileName:'],
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
      'a.yaml: FileName: A.yaml differs from it in letter case only',
    );
    const folder = {
      namespace: 't-acme',
      rawDigest: '',
      files: [{ name: 'a\ufffd.yaml', validName: false, bytes: encode(desk()), digest: '' }],
    };
    expect(renderViolations((await parseFolder(folder, { limits: DEFAULT_LIMITS })).violations)).toContain(
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
    ['broken', `${desk()}spec: {a: [}\n`, 'a.yaml:5: Yaml:'],
    ['a tab', `${desk()}spec:\n\ta: 1\n`, 'a.yaml:6: Yaml:'],
    ['a key twice', `${desk()}spec: {a: 1, a: 2}\n`, 'a.yaml:5: Yaml: the key "a" stands in the map twice'],
    ['an alias bomb', bomb, 'yamlAliases: the document has more than yamlAliases 16 aliases'],
    [
      'an alias to itself',
      `${desk()}spec: {a: &a [*a]}\n`,
      'a.yaml:5: Yaml: the alias *a stands inside what it refers to',
    ],
    ['an unknown alias', `${desk()}spec: *nope\n`, 'a.yaml:5: Yaml: '],
    ['flow nesting', `a: ${'['.repeat(50_000)}`, 'yamlDepth: the document nests more than yamlDepth 32 levels'],
    ['block nesting', Array.from({ length: 200 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'), 'yamlDepth'],
    ['list nesting', `${'- '.repeat(50_000)}a`, 'yamlDepth'],
    ['a foreign tag', `${desk()}spec: !!js/function "x"\n`, 'a.yaml:5: YamlTag: Unresolved tag'],
    ['a local tag', `${desk()}spec: !secret x\n`, 'a.yaml:5: YamlTag:'],
    ['a binary tag', `${desk()}spec: !!binary aGk=\n`, 'a.yaml:5: YamlTag:'],
    ['a directive', `%YAML 1.1\n---\n${desk()}`, 'YamlDirective: a %YAML directive is refused'],
    ['a merge key', `${desk()}base: &b {x: 1}\nspec: {<<: *b}\n`, 'a.yaml:6: AmbiguousYaml: merge keys'],
    [
      'yes',
      `${desk()}spec: {a: yes}\n`,
      'a.yaml:5: AmbiguousYaml: "yes" without quotes is a boolean to some YAML readers',
    ],
    ['a key that is a boolean', `${desk()}spec: {on: 1}\n`, 'a.yaml:5: AmbiguousYaml: "on"'],
    ['an octal number', `${desk()}spec: {a: 0644}\n`, 'AmbiguousYaml: "0644"'],
    ['a sexagesimal number', `${desk()}spec: {a: 12:30:00}\n`, 'AmbiguousYaml: "12:30:00"'],
    ['underscores', `${desk()}spec: {a: 1_000}\n`, 'AmbiguousYaml: "1_000"'],
    ['an integer beyond 2^53', `${desk()}spec: {a: 90071992547409931}\n`, 'a.yaml:5: Number: spec.a '],
    ['infinity', `${desk()}spec: {a: .inf}\n`, 'Number: spec.a is not a finite number'],
    ['__proto__', `${desk()}spec:\n  __proto__: {admin: true}\n`, 'a.yaml:6: Key: spec.__proto__ cannot be a key'],
    ['half a surrogate pair', `${desk()}spec: {a: "\\ud800"}\n`, 'Text: spec.a holds half of a surrogate pair'],
    ['a map as key', `${desk()}spec:\n  ? {a: 1}\n  : b\n`, 'Yaml: '],
    ['a scalar', 'hello', 'Resource: a document is one resource'],
    ['a list', '[1]', 'Resource: '],
    ['a NUL', `${desk()}spec: "\0"\n`, 'a.yaml:5: Text: spec holds a NUL'],
  ])('refuses %s', async (_what, text, message) => {
    const found = await refusals({ 'a.yaml': text });
    expect(found).toContain('a.yaml');
    expect(found).toContain(message);
  });

  test('refuses bytes that are not UTF-8', async () => {
    expect(await refusals({ 'a.yaml': Buffer.from([0xff, 0xfe, 0x61]) })).toBe(
      'a.yaml: Utf8: the file is not valid UTF-8',
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
      { numRuns: 200 },
    );
  });
});

describe('resources', () => {
  const order = (name = 'desk', metadata = ''): string =>
    `${desk(name, metadata)}spec:\n  plan: basic\n  image: ubuntu-24\n  username: anna\n`;
  const refuse = (files: Readonly<Record<string, string>>, owner: OwnerType = 'Reseller'): Promise<string> =>
    refusals(files, { owner, check: checkResource });

  test('are judged by the rules that hold everywhere, with file and line', async () => {
    expect(await refuse({ 'a.yaml': order() })).toBe('accepted');
    expect(await refuse({ 'a.yaml': order().replace('anna', 'ANNA') })).toMatch(
      /^a\.yaml:8: Schema: spec\.username must be a lower-case letter/,
    );
    expect(await refuse({ 'a.yaml': order().replace('  username: anna\n', '') })).toBe(
      'a.yaml:5: Schema: spec.username is required: a text',
    );
    expect(await refuse({ 'a.yaml': `${order()}  colour: red\n` })).toContain(
      'a.yaml:9: Schema: spec.colour is not known',
    );
  });

  test.each([
    [
      'a kind of others',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n',
      'a.yaml:1: Schema: apiVersion must be sublet.dev/v1alpha1, is "v1"',
    ],
    ['a list of resources', 'apiVersion: v1\nkind: List\nitems: []\n', 'a.yaml:1: Schema: apiVersion'],
    [
      'a kind that is not there',
      desk().replace('RDPInstance', 'RDPInstanceList'),
      'a.yaml:2: Schema: kind must be one of ',
    ],
    ['no kind', 'metadata: {name: x}\n', 'a.yaml:1: Schema: apiVersion must be'],
    ['no metadata', 'apiVersion: sublet.dev/v1alpha1\nkind: Plan\n', 'a.yaml:1: Schema: metadata is required'],
    ['a name that is a number', order('12'), 'a.yaml:4: Schema: metadata.name must be a text, is 12'],
    [
      'another namespace',
      order('desk', '  namespace: t-other\n'),
      'a.yaml:5: ForeignNamespace: metadata.namespace is t-other',
    ],
    ['status', `${order()}status: {}\n`, 'a.yaml:9: DeclaredStatus: status is what was observed; remove it'],
    ['our annotations', order('desk', '  annotations:\n    sublet.dev/held: x\n'), 'a.yaml:6: ReservedMetadata: '],
    ['our labels', order('desk', '  labels: {sublet.dev/tenant-id: x}\n'), 'a.yaml:5: ReservedMetadata: '],
    [
      "Flux's",
      order('desk', '  annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}\n'),
      'a.yaml:5: ReservedMetadata: ',
    ],
    [
      "kustomize's",
      order('desk', '  annotations: {config.kubernetes.io/local-config: "true"}\n'),
      'ReservedMetadata: ',
    ],
  ])('refuses %s', async (_what, text, message) => {
    expect(await refuse({ 'a.yaml': text })).toContain(message);
  });

  test('its own namespace may be stated', async () => {
    expect(await refuse({ 'a.yaml': order('desk', '  namespace: t-acme\n') })).toBe('accepted');
  });

  test.each([
    'finalizers: [x]',
    'ownerReferences: []',
    'uid: x',
    'resourceVersion: "1"',
    'generateName: x',
    'managedFields: []',
    'deletionTimestamp: "2026-11-21T09:00:00Z"',
  ])('metadata.%s is not for Git', async (field) => {
    expect(await refuse({ 'a.yaml': order('desk', `  ${field}\n`) })).toBe(
      `a.yaml:5: ForeignMetadata: metadata.${field.split(':')[0]} is not for Git; write name, labels and annotations only`,
    );
  });

  test('one resource twice, also in two files, names the first place', async () => {
    expect(await refuse({ 'a.yaml': order(), 'b.yaml': `# two\n${order()}` })).toBe(
      'b.yaml:5: Duplicate: metadata.name names RDPInstance/desk, which stands in a.yaml:1 too; keep one',
    );
  });

  const tenant = (name: string): string =>
    `apiVersion: sublet.dev/v1alpha1\nkind: Tenant\nmetadata: {name: ${name}}\nspec: {id: one, plan: free, type: Customer}\n`;

  test('two tenants of a folder with one id', async () => {
    expect(await refuse({ 'a.yaml': tenant('ann'), 'b.yaml': tenant('ben') })).toContain(
      'b.yaml:4: DuplicateIdentity: spec.id one is the id of Tenant ann',
    );
  });

  test.each([
    [
      'Customer',
      tenant('ann'),
      'a.yaml:2: NoSeller: kind the tenant of t-acme is a Customer; only a Reseller may have a Tenant',
    ],
    [
      'Root',
      order(),
      "a.yaml:2: NoSeller: kind t-acme holds Tenants, Plans and Quotas only; RDPInstance belongs in a tenant's namespace",
    ],
    ['Reseller', tenant('ann'), 'accepted'],
    ['Reseller', order(), 'accepted'],
    ['Root', tenant('ann'), 'accepted'],
    ['Customer', order(), 'accepted'],
    ['Unknown', tenant('ann'), 'accepted'],
  ] as const)('in the folder of a %s', async (owner, text, expected) => {
    expect(await refuse({ 'a.yaml': text }, owner)).toBe(expected);
  });

  test('one bad file refuses the folder', async () => {
    const result = await judge(
      { 'good.yaml': order(), 'bad.yaml': order('two').replace('ubuntu-24', '17') },
      { check: checkResource },
    );
    expect(result).toMatchObject({ ok: false, violations: [{ file: 'bad.yaml', line: 7, rule: 'Schema' }] });
  });

  test('only the first ten violations are listed', async () => {
    const files = Object.fromEntries(Array.from({ length: 14 }, (_, i) => [`f${i}.yaml`, '[']));
    const lines = (await refusals(files)).split('\n');
    expect(lines).toHaveLength(11);
    expect(lines.at(-1)).toBe('and 4 more');
  });

  test('the worst folder costs little: refusals are counted, lines are looked up once a file', async () => {
    const hostile = Array.from({ length: 700 }, (_, i) => `${order(`D${i}`, '  uid: x\n')}`).join('---\n');
    const files = Object.fromEntries(Array.from({ length: 3 }, (_, i) => [`f${i}.yaml`, hostile]));
    const result = await judge(files, { check: checkResource, limits: { ...DEFAULT_LIMITS, folderResources: 50_000 } });
    expect(result.ok ? 0 : result.violations.length).toBeLessThan(120);
  });
});
