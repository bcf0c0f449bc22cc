import type { Check } from './checker.ts';
import {
  annotationOf,
  DESKTOPS,
  DISKS,
  INSTANCES,
  isOperator,
  MACHINES,
  NAMESPACES,
  nameOf,
  namespaceOf,
  OWNER_NAME,
  ownerOf,
  PATH,
  SECRETS,
  TENANT_ID,
  type World,
} from './live.ts';
import type { Change } from './trail.ts';

/** What exists once for an identity: the machine, its disk, its credentials, and the guest that runs. */
const ONCE: ReadonlySet<string> = new Set([MACHINES, DISKS, SECRETS, INSTANCES]);
const MADE_BY_OPERATOR: ReadonlySet<string> = new Set([MACHINES, DISKS, SECRETS]);

/**
 * I3: one effect an intent. An identity never has two machines, disks, credentials or guests at a time, and one order (the life of one
 * RDPInstance) has each of its children made once, unless somebody else took one away in between. One identity has one namespace.
 */
export const createDuplicateCheck: Check = (report) => {
  /** By order and kind: what the operator made, until somebody else removes it. */
  const made = new Map<string, string>();
  return {
    change(change, world) {
      const { resource, key, before, after, actor } = change;
      if (resource === NAMESPACES) return void judgeNamespace(change, world, report);
      if (!ONCE.has(resource)) return;
      const owner = ownerOf(after ?? before);
      if (owner === undefined) return;
      if (after === undefined) {
        if (isOperator(actor)) return;
        for (const [intent, at] of made) if (at === `${resource} ${key}`) made.delete(intent);
        return;
      }
      if (before !== undefined) return;
      for (const [other, object] of world.list(resource)) {
        if (other !== key && ownerOf(object) === owner) report('I3', change, `${owner} has two: the other is ${other}`);
      }
      if (!isOperator(actor) || !MADE_BY_OPERATOR.has(resource)) return;
      const uid = orderOf(change, world);
      if (uid === undefined) return;
      const intent = `${uid} ${resource}`;
      if (made.has(intent)) report('I3', change, 'it was made a second time for the same order');
      made.set(intent, `${resource} ${key}`);
    },
  };
};

/** The UID of the RDPInstance for which a child is made. */
function orderOf({ key, after }: Change, world: World): string | undefined {
  const name = after?.metadata.labels?.[OWNER_NAME] ?? nameOf(key);
  return world.get(DESKTOPS, `${namespaceOf(key)}/${name}`)?.metadata.uid;
}

function judgeNamespace(change: Change, world: World, report: Parameters<Check>[0]): void {
  const { key, before, after } = change;
  const id = annotationOf(after, TENANT_ID);
  if (before !== undefined || after === undefined || id === undefined) return;
  for (const [other, namespace] of world.list(NAMESPACES)) {
    if (other === key || annotationOf(namespace, TENANT_ID) !== id) continue;
    report('I3', change, `tenant ${annotationOf(after, PATH)} has two namespaces: the other is ${other}`);
  }
}
