import { expect, it, vi } from 'vitest';
import { openGitReader } from '../../git/binary/reader.ts';
import type { MadeCommit } from '../../git/memory/objects.ts';
import { openHands } from '../../git/testing/gitremote.ts';
import { realClock } from '../../kube/clock.ts';
import { describeWithOwnCluster } from '../../test/support/cluster.ts';
import type { GitRepository } from '../externalartifact.ts';
import { gunzipInPool } from '../fetch.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { isTenantNamespace } from '../main.ts';
import { openUrl } from '../start.ts';
import { makeVolume } from '../testing/fleet.ts';
import { createTreeLoader } from '../tree.ts';
import { parseDirectSpec } from './spec.ts';
import { createDirectTreeReader } from './tree.ts';

const ENV = 'tenants/production';
const IGNORE = `# Only this cluster's folders.\n/*\n!/tenants/\n/tenants/*\n!/${ENV}/\n`;

const link = (target: string) => ({ bytes: Buffer.from(target), mode: 'symlink' }) as const;
const program = (text: string) => ({ bytes: Buffer.from(text), mode: 'executable' }) as const;

/** What a person who means no good may push; git's own quoting stands for bytes that are no text. */
const HOSTILE: MadeCommit['files'] = new Map<
  string,
  string | { readonly bytes: Uint8Array; readonly mode: 'file' | 'executable' | 'symlink' | 'submodule' }
>([
  ['README.md', 'The fleet.\n'],
  ['.gitattributes', '*.yaml text eol=crlf ident filter=lfs\n'],
  ['.gitmodules', `[submodule "x"]\n\tpath = ${ENV}/t-module\n\turl = https://git.example.com/x.git\n`],
  [`${ENV}/stray.yaml`, 'a: 1\n'],
  [`${ENV}/notes.txt`, 'a: 1\n'],
  [`${ENV}/link.yaml`, link('t-a/a.yaml')],
  [`${ENV}/t-linked`, link('t-a')],
  [`${ENV}/t-module`, { bytes: Buffer.from('f'.repeat(40)), mode: 'submodule' }],
  [`${ENV}/kube-system/a.yaml`, 'a: 1\n'],
  [`${ENV}/only-links/a.yaml`, link('/etc/passwd')],
  [`${ENV}/t-only-links/a.yaml`, link('../t-a/a.yaml')],
  [`${ENV}/t-only-words/README.md`, 'Nothing yet.\n'],
  [`${ENV}/t-a/a.yaml`, 'id: $Id$\r\nb: 2\n'],
  [`${ENV}/t-a/bom.yaml`, '\ufeffa: 1\n'],
  [`${ENV}/t-a/empty.yaml`, ''],
  [`${ENV}/t-a/run.yaml`, program('a: 1\n')],
  [`${ENV}/t-a/passwd.yaml`, link('/etc/passwd')],
  [`${ENV}/t-a/loop.yaml`, link('loop.yaml')],
  [`${ENV}/t-a/up.yaml`, link('../../../README.md')],
  [`${ENV}/t-a/-rf.yaml`, 'a: 1\n'],
  [`${ENV}/t-a/sp ace.YAML`, 'a: 1\n'],
  [`${ENV}/t-a/A.yaml`, 'a: 1\n'],
  [`${ENV}/t-a/ü\u202e.yml`, 'a: 1\n'],
  [`${ENV}/t-a/\\377\\376.yaml`, 'a: 1\n'],
  [`${ENV}/t-a/kustomization.yaml`, 'resources: [../t-b]\n'],
  [`${ENV}/t-a/deep/er/Kustomization`, 'resources: []\n'],
  [`${ENV}/t-a/${'long-'.repeat(40)}.yaml`, 'a: 1\n'],
  [`${ENV}/t-a/binary.yaml`, { bytes: Buffer.from([0, 255, 254, 10]), mode: 'file' }],
  [`${ENV}/sublet-root/x.yaml/y.yaml`, 'a: 1\n'],
  ['tenants/staging/t-a/a.yaml', 'a: 1\n'],
]);

describeWithOwnCluster('the two ways to a revision', { flux: true }, (cluster) => {
  it.each([
    ['with the patterns of the reference fleet', IGNORE],
    ["with source-controller's defaults", undefined],
  ])('give the same folders of a hostile tree, %s', async (_what, ignore) => {
    const name = ignore === undefined ? 'defaults' : 'patterns';
    const remote = await cluster().gitRemote(name);
    const person = { name: 'Mallory', email: 'mallory@example.com' };
    await openHands(remote.path).write('main', {
      author: person,
      committer: person,
      atMs: 0,
      message: 'Do harm\n',
      files: HOSTILE,
    });
    const path = '/apis/source.toolkit.fluxcd.io/v1/namespaces/default/gitrepositories';
    const created = await cluster().admin.ask('POST', path, {
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      metadata: { name },
      spec: { url: remote.url, interval: '1m', ref: { branch: 'main' }, ...(ignore === undefined ? {} : { ignore }) },
    });
    const artifact = await vi.waitFor(
      async () => {
        const object = (await cluster().admin.ask('GET', `${path}/${name}`)) as GitRepository;
        if (object.status?.artifact === undefined) throw new Error(JSON.stringify(object.status));
        return object.status.artifact;
      },
      { timeout: 300_000, interval: 200 },
    );
    const options = { environment: 'production', isNamespace: isTenantNamespace, limits: DEFAULT_LIMITS };
    const loader = createTreeLoader(
      { openUrl, gunzip: gunzipInPool, clock: realClock },
      { ...options, fetchTimeoutMs: 60_000 },
    );
    const fromFlux = await loader.load(artifact, new AbortController().signal);

    const spec = parseDirectSpec(created as GitRepository, 'production');
    if ('declined' in spec) throw new Error(spec.declined);
    const volume = await makeVolume();
    const reader = openGitReader(
      { ...spec, protocols: ['http'], depth: 1 },
      { folder: volume.directory, path: process.env.PATH ?? '' },
    );
    try {
      const commit = (await reader.fetch()) ?? '';
      expect(`main@sha1:${commit}`).toBe(artifact.revision);
      const fromGit = await createDirectTreeReader(options).read(reader, commit, spec.leftOut);
      expect(fromFlux).toMatchObject({ ok: true });
      expect(fromGit).toEqual(fromFlux);
      if (!('ok' in fromGit && fromGit.ok)) throw new Error('the tree was refused');
      expect([...fromGit.split.folders.keys()]).toEqual(['sublet-root', 't-a', 't-only-words']);
      expect(fromGit.split.folders.get('t-a')?.files).toHaveLength(13);
      expect(fromGit.split.strays.map((stray) => stray.path)).toEqual([`${ENV}/kube-system`, `${ENV}/stray.yaml`]);
    } finally {
      await reader.close();
      await volume.close();
    }
  });
});
