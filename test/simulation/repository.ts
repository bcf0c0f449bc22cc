import { parseAllDocuments } from 'yaml';
import type { MemoryObjects } from '../../git/memory/objects.ts';
import type { MemoryRemote } from '../../git/memory/remote.ts';
import type { CommitId } from '../../git/repository.ts';
import type { FleetRepository } from './contract.ts';

export const REPOSITORY_URL = 'https://git.example.com/provider/fleet';
export const BRANCH = 'main';
export const PERSON = { name: 'Pat', email: 'pat@example.com' };

export type RepositoryParts = {
  readonly repository: FleetRepository;
  isReachable(): boolean;
  /** `<namespace>/<kind>/<name>` of everything that the branch declares, as far as it can be read. */
  declared(): ReadonlySet<string>;
};

/** The branch as people work on it, each change on top of what is there then. */
export function createFleetRepository(
  remote: MemoryRemote,
  nowMs: () => number,
  on: Pick<FleetRepository, 'notify' | 'confirm'>,
): RepositoryParts {
  const { objects } = remote;
  const changed = new Map<string, string | null>();
  let isReachable = true;
  const commit = (files: ReadonlyMap<string, string | null>, message: string): CommitId => {
    const id = objects.make(tip, { author: PERSON, committer: PERSON, atMs: nowMs(), message, files });
    remote.move(BRANCH, id);
    return id;
  };
  // Where the branch is, or was when it went: people have it in their clones.
  let tip: CommitId | undefined;
  remote.onMove((_, to) => {
    tip = to ?? tip;
  });
  commit(new Map([['README.md', '# The fleet\n']]), 'Begin');
  const paths = (under = ''): readonly string[] => {
    const found = new Set(tip === undefined ? [] : objects.tree(tip).keys());
    for (const [path, text] of changed) {
      if (text === null) found.delete(path);
      else found.add(path);
    }
    return [...found].filter((path) => path.startsWith(under)).sort();
  };
  const repository: FleetRepository = {
    ...on,
    paths,
    write: (path, text) => void changed.set(path, text),
    remove: (path) => {
      for (const one of paths(path)) if (one === path || one.startsWith(`${path}/`)) changed.set(one, null);
    },
    read: (path) => {
      const text = changed.get(path);
      if (text !== undefined) return text ?? undefined;
      const file = tip === undefined ? undefined : objects.tree(tip).get(path);
      return file === undefined ? undefined : textOf(objects, file.blob);
    },
    push: (message) => {
      const files = new Map(changed);
      changed.clear();
      return commit(files, message);
    },
    forcePush: (to) => {
      changed.clear();
      remote.move(BRANCH, to);
    },
    removeBranch: () => remote.move(BRANCH, undefined),
    history: () => (tip === undefined ? [] : [...objects.walk(tip)].map(({ id }) => id)),
    head: () => remote.head(BRANCH) ?? '',
    setReachable: (reachable) => {
      isReachable = reachable;
    },
  };
  const readDeclared = createDeclaredReader(objects);
  return {
    repository,
    isReachable: () => isReachable,
    declared: () => readDeclared(remote.head(BRANCH)),
  };
}

function textOf(objects: MemoryObjects, blob: string): string {
  return Buffer.from(objects.blob(blob) ?? []).toString('utf8');
}

/** Reads each file once, as most of them stay as they are. */
function createDeclaredReader(objects: MemoryObjects): (head: CommitId | undefined) => ReadonlySet<string> {
  const known = new Map<string, readonly string[]>();
  return (head) => {
    const declared = new Set<string>();
    for (const [path, { blob }] of head === undefined ? [] : objects.tree(head)) {
      const [, , namespace] = path.split('/');
      if (!path.startsWith('tenants/') || namespace === undefined) continue;
      const names = known.get(blob) ?? readNames(textOf(objects, blob));
      known.set(blob, names);
      for (const name of names) declared.add(`${namespace}/${name}`);
    }
    return declared;
  };
}

function readNames(text: string): readonly string[] {
  const documents = parseAllDocuments(text, { logLevel: 'silent' });
  return documents.flatMap((document): readonly string[] => {
    if (!('toJS' in document) || document.errors.length > 0) return [];
    const value: unknown = document.toJS();
    if (typeof value !== 'object' || value === null || !('kind' in value) || !('metadata' in value)) return [];
    const { kind, metadata } = value;
    if (typeof metadata !== 'object' || metadata === null || !('name' in metadata)) return [];
    return [`${kind}/${metadata.name}`];
  });
}
