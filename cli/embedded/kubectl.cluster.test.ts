import { spawn } from 'node:child_process';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { QUICK_TIMINGS } from '../../simulator/kubevirt/options.ts';
import { describeWithCluster } from '../../test/support/cluster.ts';
import { type EmbeddedWorld, startEmbeddedWorld } from './embedded.ts';

const READY = '--for=condition=Ready';
const PLAN = `
apiVersion: sublet.dev/v1alpha1
kind: Plan
metadata: {name: sketch, namespace: sublet-root}
spec:
  title: Sketch
  offers: Desktop
  currency: USD
  price:
    - {name: base, type: Recurring, per: Resource, accrues: Exists, recurring: {amount: "9.00", interval: Month}}
  desktop: {vcpu: 1, memory: 2Gi, storage: 50Gi, images: [ubuntu-24]}
`;

/** The real kubectl, which comes with the control plane that the run has, against the embedded API server. */
describeWithCluster('kubectl on sublet dev', {}, () => {
  let folder = '';
  let world: EmbeddedWorld;

  beforeAll(async () => {
    folder = await realpath(await mkdtemp(path.join(tmpdir(), 'sublet-kubectl-')));
    const options = { folder, environment: 'staging', apiPort: 0, gitPort: 0, restPort: 0, orders: true } as const;
    const deps = { log: pino({ level: 'silent' }), step: () => {} };
    world = await startEmbeddedWorld(deps, { ...options, kubevirt: { timings: QUICK_TIMINGS } });
    const waited = await kubectl(['-n', 't-acme--bob', 'wait', READY, '--timeout=180s', 'rdp/anna-desk']).then(
      untilDone,
    );
    expect(waited.stdout).toContain('anna-desk condition met');
  });

  afterAll(async () => {
    await world?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** The desktop may not be there yet when the first command runs. */
  async function untilDone(first: Result): Promise<Result> {
    let result = first;
    for (let tries = 0; result.code !== 0 && tries < 1_000; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      result = await kubectl(['-n', 't-acme--bob', 'wait', READY, '--timeout=180s', 'rdp/anna-desk']);
    }
    return result;
  }

  type Result = { readonly code: number; readonly stdout: string; readonly stderr: string };

  function start(args: readonly string[], input = '') {
    const provision = inject('cluster');
    if (!provision.available) throw new Error('no kubectl');
    const { command, args: before } = provision.info.kubectl;
    const all = [...before, `--cache-dir=${path.join(folder, 'kubectl-cache')}`, ...args];
    const child = spawn(command, all, { env: { ...process.env, KUBECONFIG: world.kubeconfigPath } });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output.stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      output.stderr += chunk;
    });
    child.stdin.end(input);
    const ended = new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? 1)));
    return { child, output, ended };
  }

  async function kubectl(args: readonly string[], input?: string): Promise<Result> {
    const { output, ended } = start(args, input);
    return { code: await ended, ...output };
  }

  async function ok(args: readonly string[], input?: string): Promise<string> {
    const { code, stdout, stderr } = await kubectl(args, input);
    expect(code, stderr).toBe(0);
    return stdout;
  }

  const words = (text: string, line = 0) =>
    text
      .trim()
      .split('\n')
      [line]?.trim()
      .split(/\s{2,}/);

  describe('get', () => {
    it('shows our columns', async () => {
      const desktops = await ok(['-n', 't-acme--bob', 'get', 'rdp']);
      expect(words(desktops)).toEqual(['NAME', 'PLAN', 'IMAGE', 'POWER', 'ADDRESS', 'READY', 'REASON', 'AGE']);
      expect(words(desktops, 1)?.slice(0, 4)).toEqual(['anna-desk', 'pro', 'ubuntu-24', 'Running']);
      expect(words(desktops, 1)?.[5]).toBe('True');
    });

    it('knows short names, the category and all namespaces', async () => {
      const all = await ok(['get', 'sublet', '--all-namespaces', '--no-headers']);
      for (const name of ['tenant.sublet.dev/acme', 'plan.sublet.dev/basic', 'rdpinstance.sublet.dev/anna-desk']) {
        expect(all).toContain(name);
      }
      expect(await ok(['-n', 'sublet-root', 'get', 'stenant,splan', '-o', 'name'])).toContain('tenant.sublet.dev/acme');
      const resources = await ok(['api-resources', '--api-group=sublet.dev', '--no-headers']);
      expect(resources.trim().split('\n')).toHaveLength(4);
    });

    it('answers in JSON, YAML and by path, by label and by name', async () => {
      const json = JSON.parse(await ok(['-n', 't-acme--bob', 'get', 'rdp', 'anna-desk', '-o', 'json']));
      expect(json.status.port).toBe(3389);
      expect(await ok(['-n', 't-acme', 'get', 'stenant', 'bob', '-o', 'yaml'])).toContain('kind: Tenant');
      const path = '{.items[*].metadata.name}';
      const selected = ['get', 'namespaces', '-l', 'kubernetes.io/metadata.name=t-acme', '-o', `jsonpath=${path}`];
      expect(await ok(selected)).toBe('t-acme');
      const field = ['get', 'namespaces', '--field-selector=metadata.name=t-acme', '-o', `jsonpath=${path}`];
      expect(await ok(field)).toBe('t-acme');
      const { code, stderr } = await kubectl(['-n', 't-acme', 'get', 'rdp', 'nobody']);
      expect([code, stderr]).toEqual([1, 'Error from server (NotFound): rdpinstances.sublet.dev "nobody" not found\n']);
    });
  });

  describe('apply', () => {
    it('creates, changes and leaves alone on the side of the client', async () => {
      expect(await ok(['apply', '-f', '-'], PLAN)).toBe('plan.sublet.dev/sketch created\n');
      expect(await ok(['apply', '-f', '-'], PLAN)).toBe('plan.sublet.dev/sketch unchanged\n');
      const dearer = PLAN.replace('9.00', '10.00');
      const { code, stdout } = await kubectl(['diff', '-f', '-'], dearer);
      expect([code, stdout.includes('+        amount: "10.00"') || stdout.includes('10.00')]).toEqual([1, true]);
      expect(await ok(['apply', '-f', '-'], dearer)).toBe('plan.sublet.dev/sketch configured\n');
      await ok(['-n', 'sublet-root', 'wait', READY, '--timeout=180s', 'splan/sketch']);
      expect(await ok(['-n', 'sublet-root', 'delete', 'splan', 'sketch'])).toContain('"sketch" deleted');
    });

    it('owns fields on the side of the server, and tells who else does', async () => {
      const side = ['apply', '--server-side', '-f', '-'];
      const other = [...side, '--field-manager=other'];
      expect(await ok([...side, '--field-manager=one'], PLAN)).toBe('plan.sublet.dev/sketch serverside-applied\n');
      const renamed = PLAN.replace('title: Sketch', 'title: Draft');
      const { code, stderr } = await kubectl(other, renamed);
      expect(code).toBe(1);
      expect(stderr).toContain('Apply failed with 1 conflict: conflict with "one": .spec.title');
      await ok([...other, '--force-conflicts'], renamed);
      const owners = ['-n', 'sublet-root', 'get', 'splan', 'sketch', '--show-managed-fields', '-o', 'json'];
      const { metadata } = JSON.parse(await ok(owners));
      const titled = metadata.managedFields
        .filter((entry: { fieldsV1: unknown }) => JSON.stringify(entry.fieldsV1).includes('f:title'))
        .map((entry: { manager: string }) => entry.manager);
      expect(titled).toEqual(['other']);
      await ok(['-n', 'sublet-root', 'delete', 'splan', 'sketch']);
    });

    it('says what is wrong with a manifest', async () => {
      const unknown = await kubectl(['apply', '-f', '-'], PLAN.replace('title:', 'titel:'));
      expect(unknown.code).toBe(1);
      expect(unknown.stderr).toContain('titel');
      const wrong = await kubectl(['apply', '--validate=false', '-f', '-'], PLAN.replace('Desktop', 'Spaceship'));
      expect(wrong.stderr).toContain('spec.offers: Unsupported value: "Spaceship"');
    });
  });

  it('watches while somebody changes something', async () => {
    const watching = start([
      '-n',
      't-acme',
      'get',
      'stenant',
      '--watch',
      '--no-headers',
      '-o',
      'custom-columns=:.metadata.labels.seen',
    ]);
    try {
      await expect.poll(() => watching.output.stdout).toContain('<none>');
      await ok(['-n', 't-acme', 'label', 'stenant', 'bob', 'seen=yes']);
      await expect.poll(() => watching.output.stdout).toContain('yes');
      await ok(['-n', 't-acme', 'label', 'stenant', 'bob', 'seen-']);
    } finally {
      watching.child.kill();
      await watching.ended;
    }
  });

  it('describes and explains', async () => {
    const described = await ok(['-n', 't-acme--bob', 'describe', 'rdp', 'anna-desk']);
    expect(described).toMatch(/^Name:\s+anna-desk$/m);
    expect(described).toMatch(/Username:\s+anna/);
    const explained = await ok(['explain', 'rdp.spec.power']);
    expect(explained).toMatch(/FIELD: power <string>/);
    expect(explained).toContain('Stopped');
    expect(await ok(['explain', 'stenant', '--recursive'])).toContain('displayName');
  });

  it('patches a desktop off and waits for it', async () => {
    const desktop = ['-n', 't-acme--bob'];
    await ok([...desktop, 'patch', 'rdp', 'anna-desk', '--type=merge', '-p', '{"spec":{"power":"Stopped"}}']);
    await ok([...desktop, 'wait', '--for=jsonpath={.status.power}=Stopped', '--timeout=180s', 'rdp/anna-desk']);
    await ok([
      ...desktop,
      'patch',
      'rdp',
      'anna-desk',
      '--type=json',
      '-p',
      '[{"op":"replace","path":"/spec/power","value":"Running"}]',
    ]);
    await ok([...desktop, 'wait', READY, '--timeout=180s', 'rdp/anna-desk']);
  });

  it('creates, edits in place and deletes other kinds, and asks for the version', async () => {
    const both = [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'scratch' } },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'notes', namespace: 'scratch' }, data: { a: '1' } },
    ];
    await ok(['create', '-f', '-'], both.map((object) => JSON.stringify(object)).join('\n---\n'));
    await ok(['-n', 'scratch', 'annotate', 'configmap', 'notes', 'why=because']);
    const file = path.join(folder, 'notes.yaml');
    await writeFile(
      file,
      (await ok(['-n', 'scratch', 'get', 'configmap', 'notes', '-o', 'yaml'])).replace('a: "1"', 'a: "2"'),
    );
    expect(await ok(['replace', '-f', file])).toBe('configmap/notes replaced\n');
    expect(await ok(['-n', 'scratch', 'get', 'configmap', 'notes', '-o', 'jsonpath={.data.a}'])).toBe('2');
    await ok(['delete', 'namespace', 'scratch', '--timeout=180s']);
    expect((await kubectl(['get', 'namespace', 'scratch'])).code).toBe(1);
    expect(await ok(['version'])).toContain('Server Version: v1.36');
  });
});
