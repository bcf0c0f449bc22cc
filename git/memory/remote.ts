import type { CommitId, PushResult } from '../repository.ts';
import { createMemoryObjects, type MadeCommit, type MemoryObjects } from './objects.ts';

/**
 * What goes wrong with the next call of that name, once each, in order. `race`: somebody else's commit arrives just before the push is looked at. `lost`: the push is
 * carried out and its answer lost; `dropped`: neither; `refused`: a rule of the remote says no.
 */
export type MemoryFault =
  | { readonly call: 'fetch'; readonly type: 'unreachable' }
  | { readonly call: 'push'; readonly type: 'unreachable' | 'lost' | 'dropped' | 'refused' }
  | { readonly call: 'push'; readonly type: 'race'; readonly commit: MadeCommit };

/** A remote repository in memory, for the simulator and for tests: what people do to it without asking us, and what goes wrong on the way there. */
export type MemoryRemote = {
  readonly objects: MemoryObjects;
  head(branch: string): CommitId | undefined;
  /** The text of a file on a branch. */
  text(branch: string, path: string): string | undefined;
  /** Somebody commits to a branch. */
  write(branch: string, commit: MadeCommit): CommitId;
  /** Somebody moves a branch, whatever was there (a force-push); undefined removes it. */
  move(branch: string, to: CommitId | undefined): void;
  fail(fault: MemoryFault): void;
  /** Called after each move of a branch; gives the way to stop. */
  onMove(listener: (branch: string, commit: CommitId | undefined) => void): () => void;
  takeFault(call: MemoryFault['call']): MemoryFault | undefined;
  /** What a push does here: moves the branch if it is where the caller saw it. */
  receive(branch: string, commit: CommitId, expected: CommitId | undefined): PushResult;
};

export function createMemoryRemote(): MemoryRemote {
  const objects = createMemoryObjects();
  const branches = new Map<string, CommitId>();
  const faults: MemoryFault[] = [];
  const listeners = new Set<(branch: string, commit: CommitId | undefined) => void>();
  const move = (branch: string, to: CommitId | undefined): void => {
    if (to === undefined) branches.delete(branch);
    else branches.set(branch, to);
    for (const listener of listeners) listener(branch, to);
  };
  return {
    objects,
    move,
    head: (branch) => branches.get(branch),
    text: (branch, path) => {
      const head = branches.get(branch);
      const file = head === undefined ? undefined : objects.tree(head).get(path);
      const bytes = file === undefined ? undefined : objects.blob(file.blob);
      return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
    },
    write: (branch, commit) => {
      const id = objects.make(branches.get(branch), commit);
      move(branch, id);
      return id;
    },
    fail: (fault) => {
      faults.push(fault);
    },
    onMove: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    takeFault: (call) => {
      const at = faults.findIndex((fault) => fault.call === call);
      return at < 0 ? undefined : faults.splice(at, 1)[0];
    },
    receive: (branch, commit, expected) => {
      if (branches.get(branch) === commit) return { type: 'pushed' };
      if (branches.get(branch) !== expected) return { type: 'rejected', stale: true, why: 'stale info' };
      move(branch, commit);
      return { type: 'pushed' };
    },
  };
}
