import { parseAllDocuments } from 'yaml';
import { createMemoryRepository, type MemoryRepository } from '../../simulator/flux/git/memory.ts';
import type { FleetRepository } from './contract.ts';

export const REPOSITORY_URL = 'https://git.example.com/provider/fleet';

export type RepositoryParts = {
  readonly repository: FleetRepository;
  readonly memory: MemoryRepository;
  /** `<namespace>/<kind>/<name>` of everything that a commit declares, as far as it can be read. */
  declared(): ReadonlySet<string>;
};

/** A checkout and a branch; `onMove` is told after each move of the branch, `onConfirm` when a person confirms where it is. */
export function createFleetRepository(
  onMove: () => void,
  onNotify: () => void,
  onConfirm: () => void,
): RepositoryParts {
  const memory = createMemoryRepository();
  const checkout = new Map<string, string>();
  const changed = new Map<string, string | null>();
  const readDeclared = createDeclaredReader();

  const checkOutHead = (): void => {
    checkout.clear();
    changed.clear();
    for (const [path, bytes] of memory.head()?.files ?? []) checkout.set(path, bytes.toString('utf8'));
  };
  const repository: FleetRepository = {
    write: (path, text) => {
      checkout.set(path, text);
      changed.set(path, text);
    },
    remove: (path) => {
      for (const one of [...checkout.keys()]) {
        if (one !== path && !one.startsWith(`${path}/`)) continue;
        checkout.delete(one);
        changed.set(one, null);
      }
    },
    read: (path) => checkout.get(path),
    paths: (under = '') => [...checkout.keys()].filter((path) => path.startsWith(under)).sort(),
    push: (message) => {
      const { id } = memory.commit(Object.fromEntries(changed), { message });
      changed.clear();
      onMove();
      return id;
    },
    forcePush: (commit) => {
      memory.reset(commit);
      checkOutHead();
      onMove();
    },
    history: () => memory.history().map(({ id }) => id),
    head: () => memory.head()?.id ?? '',
    setReachable: (reachable) => memory.setFault(reachable ? undefined : 'unreachable'),
    notify: onNotify,
    confirm: onConfirm,
  };
  return { repository, memory, declared: () => readDeclared(checkout) };
}

/** Reads each file once, as most of them stay as they are. */
function createDeclaredReader(): (files: ReadonlyMap<string, string>) => ReadonlySet<string> {
  const known = new Map<string, { readonly text: string; readonly names: readonly string[] }>();
  return (files) => {
    const declared = new Set<string>();
    for (const [path, text] of files) {
      const [, , namespace] = path.split('/');
      if (!path.startsWith('tenants/') || namespace === undefined) continue;
      let found = known.get(path);
      if (found?.text !== text) {
        found = { text, names: readNames(text) };
        known.set(path, found);
      }
      for (const name of found.names) declared.add(`${namespace}/${name}`);
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
