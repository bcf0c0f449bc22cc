import { GITREPOSITORIES, KUSTOMIZATIONS } from '../../../model/flux.ts';
import { findMark } from '../conditions.ts';
import type { Kustomization } from '../resources.ts';
import { configMap, type Scenario } from './scenario.ts';

const FROM_GIT = { sourceRef: { kind: 'GitRepository', name: 'source' } };

/** What source-controller does. */
export const SOURCE_SCENARIOS: readonly Scenario[] = [
  {
    name: 'fetch',
    run: async (stage) => {
      const commit = await stage.push({ 'a/x.yaml': configMap('x') });
      await stage.followGit();
      await stage.untilFetched({ ready: 'True', revision: `main@sha1:${commit}` });
      await stage.show('fetched');
    },
  },
  {
    name: 'new-commit',
    run: async (stage) => {
      await stage.push({ 'x.yaml': configMap('x'), 'y.yaml': configMap('y') });
      await stage.followGit();
      await stage.kustomize('app', FROM_GIT);
      await stage.untilReady('app', { ready: 'True' });
      await stage.show('first');
      const commit = await stage.push({ 'x.yaml': configMap('x', { key: 'new' }), 'y.yaml': null });
      await stage.request(GITREPOSITORIES, 'source');
      await stage.untilReady('app', { ready: 'True', revision: `main@sha1:${commit}` });
      await stage.show('second');
    },
  },
  {
    name: 'same-revision',
    run: async (stage) => {
      await stage.push({ 'x.yaml': configMap('x') });
      await stage.followGit();
      await stage.untilFetched({ ready: 'True' });
      await stage.request(GITREPOSITORIES, 'source');
      await stage.untilFetched({ ready: 'True' });
      await stage.show('asked again');
    },
  },
  {
    name: 'emptied-repository',
    run: async (stage) => {
      await stage.push({ 'x.yaml': configMap('x') });
      await stage.followGit();
      await stage.kustomize('app', FROM_GIT);
      await stage.untilReady('app', { ready: 'True' });
      const commit = await stage.push({ 'x.yaml': null });
      await stage.request(GITREPOSITORIES, 'source');
      await stage.untilReady('app', { ready: 'True', revision: `main@sha1:${commit}` });
      await stage.show('emptied');
    },
  },
  {
    name: 'missing-branch',
    run: async (stage) => {
      await stage.push({ 'x.yaml': configMap('x') });
      await stage.followGit({ ref: { branch: 'nowhere' } });
      await stage.untilFetched({ ready: 'False', reason: 'GitOperationFailed' });
      await stage.show('failed');
      await stage.patch(GITREPOSITORIES, 'source', { spec: { ref: { branch: 'main' } } });
      await stage.untilFetched({ ready: 'True' });
      await stage.show('mended');
    },
  },
  {
    name: 'lost-branch',
    run: async (stage) => {
      await stage.push({ 'x.yaml': configMap('x') });
      await stage.followGit();
      await stage.untilFetched({ ready: 'True' });
      await stage.patch(GITREPOSITORIES, 'source', { spec: { ref: { branch: 'nowhere' } } });
      await stage.untilFetched({ ready: 'False', reason: 'GitOperationFailed' });
      await stage.show('keeps its artifact');
    },
  },
  {
    name: 'unreachable',
    run: async (stage) => {
      await stage.followGit({ url: 'http://127.0.0.1:9/fleet.git' });
      await stage.untilFetched({ ready: 'False', reason: 'GitOperationFailed' });
      await stage.show('failed');
    },
  },
  {
    name: 'git-secret',
    run: async (stage) => {
      const commit = await stage.push({ 'x.yaml': configMap('x') });
      const url = await stage.giveAccess({ username: 'flux', password: 'pass:word' });
      await stage.followGit({ url, secretRef: { name: 'access' } });
      await stage.kustomize('app', FROM_GIT);
      await stage.untilReady('app', { ready: 'True', revision: `main@sha1:${commit}` });
      await stage.show('fetched');
    },
  },
  {
    name: 'git-secret-missing',
    run: async (stage) => {
      await stage.push({ 'x.yaml': configMap('x') });
      const url = await stage.giveAccess({ username: 'flux', password: 'pass:word' });
      await stage.followGit({ url, secretRef: { name: 'other' } });
      await stage.untilFetched({ ready: 'False', reason: 'AuthenticationFailed' });
      await stage.show('failed');
      await stage.patch(GITREPOSITORIES, 'source', { spec: { secretRef: { name: 'access' } } });
      await stage.untilFetched({ ready: 'True' });
      await stage.show('mended');
    },
  },
  {
    name: 'git-secret-refused',
    run: async (stage) => {
      await stage.push({ 'x.yaml': configMap('x') });
      const url = await stage.giveAccess({ username: 'flux', password: 'wrong' });
      await stage.followGit({ url, secretRef: { name: 'access' } });
      await stage.untilFetched({ ready: 'False', reason: 'GitOperationFailed' });
      await stage.show('failed');
    },
  },
  {
    name: 'git-secret-incomplete',
    run: async (stage) => {
      await stage.push({ 'x.yaml': configMap('x') });
      const url = await stage.giveAccess({ password: 'pass:word' });
      await stage.followGit({ url, secretRef: { name: 'access' } });
      await stage.untilFetched({ ready: 'False', reason: 'AuthenticationFailed' });
      await stage.show('failed');
    },
  },
  {
    name: 'git-secret-of-ssh',
    run: async (stage) => {
      await stage.giveAccess({ username: 'flux', password: 'pass:word' });
      await stage.followGit({ url: 'ssh://git@127.0.0.1:9/fleet', secretRef: { name: 'access' } });
      await stage.untilFetched({ ready: 'False', reason: 'AuthenticationFailed' });
      await stage.show('failed');
    },
  },
  {
    name: 'tag',
    run: async (stage) => {
      const commit = await stage.push({ 'x.yaml': configMap('x') });
      await stage.push({ 'x.yaml': configMap('x', { key: 'later' }) });
      await stage.followGit({ ref: { tag: 'v1' } });
      await stage.untilFetched({ ready: 'True', revision: `v1@sha1:${commit}` });
      await stage.show('fetched');
    },
  },
  {
    name: 'commit',
    run: async (stage) => {
      const commit = await stage.push({ 'x.yaml': configMap('x') });
      await stage.push({ 'x.yaml': configMap('x', { key: 'later' }) });
      await stage.followGit({ ref: { branch: 'main', commit } });
      await stage.untilFetched({ ready: 'True' });
      await stage.show('fetched');
    },
  },
  {
    name: 'reference-name',
    run: async (stage) => {
      await stage.push({ 'x.yaml': configMap('x') });
      await stage.followGit({ ref: { name: 'refs/heads/main' } });
      await stage.untilFetched({ ready: 'True' });
      await stage.show('fetched');
    },
  },
  {
    name: 'ignore',
    run: async (stage) => {
      const files = { 'tenants/staging/x.yaml': configMap('x'), 'tenants/production/y.yaml': configMap('y') };
      await stage.push({
        ...files,
        'z.yaml': configMap('z'),
        'logo.png': 'no',
        'tenants/staging/.sourceignore': 'w.yaml',
      });
      await stage.followGit({ ignore: '/*\n!/tenants/\n/tenants/*\n!/tenants/staging/\n' });
      await stage.kustomize('app', FROM_GIT);
      await stage.untilReady('app', { ready: 'True' });
      await stage.show('one environment');
      await stage.patch(GITREPOSITORIES, 'source', { spec: { ignore: '/tenants/staging/' } });
      await stage.untilFetched({ ready: 'True' });
      await stage.requestUntil<Kustomization>(
        KUSTOMIZATIONS,
        'app',
        ({ status }) => status?.inventory?.entries.some(({ id }) => id.includes('_z_')) === true,
      );
      await stage.untilReady('app', { ready: 'True' });
      await stage.show('the rest');
    },
  },
  {
    name: 'suspended-source',
    run: async (stage) => {
      await stage.push({ 'x.yaml': configMap('x') });
      await stage.followGit();
      await stage.untilFetched({ ready: 'True' });
      await stage.patch(GITREPOSITORIES, 'source', { spec: { suspend: true } });
      const commit = await stage.push({ 'x.yaml': configMap('x', { key: 'new' }) });
      await stage.request(GITREPOSITORIES, 'source');
      await stage.show('suspended');
      await stage.patch(GITREPOSITORIES, 'source', { spec: { suspend: false } });
      await stage.untilFetched({ ready: 'True', revision: `main@sha1:${commit}` });
      await stage.show('resumed');
    },
  },
  {
    name: 'deleted-source',
    run: async (stage) => {
      await stage.push({ 'x.yaml': configMap('x') });
      await stage.followGit();
      await stage.kustomize('app', FROM_GIT);
      await stage.untilReady('app', { ready: 'True' });
      await stage.remove(GITREPOSITORIES, 'source');
      await stage.untilGone(GITREPOSITORIES, 'source');
      await stage.requestUntil<Kustomization>(
        KUSTOMIZATIONS,
        'app',
        ({ status }) => findMark(status?.conditions, 'Ready')?.reason === 'ArtifactFailed',
      );
      await stage.untilReady('app', { ready: 'False', reason: 'ArtifactFailed' });
      await stage.show('nothing is lost');
    },
  },
];
