import { pino } from 'pino';
import { buildCrd } from '../../crds/crd.ts';
import { KINDS } from '../../crds/v1alpha1/resources.ts';
import { CUSTOMRESOURCEDEFINITIONS } from '../../kube/builtin.ts';
import { collectionPath } from '../../kube/requests.ts';
import { createFakeClock, createFakeRandom } from '../../kube/testing/fakeclock.ts';
import type { Journal } from '../../simulator/apiserver/journal.ts';
import { createApiServer } from '../../simulator/apiserver/server.ts';
import { fluxCrds } from '../../simulator/flux/crds.ts';
import { kubevirtCrds } from '../../simulator/kubevirt/crds.ts';
import { askAtOnce } from './ask.ts';

type Installed = Journal['kept'];

let installed: Installed | undefined;

/** The state of an API server that was given all definitions. Made once: judging a definition takes longer than most tests. */
export function readInstalled(): Installed {
  installed ??= install();
  return installed;
}

/** Other identities than those that a server makes which continues from here. */
const SEED = 2;

function install(): Installed {
  const deps = { clock: createFakeClock(), random: createFakeRandom(SEED), log: pino({ level: 'silent' }) };
  const server = createApiServer(deps);
  for (const definition of [...KINDS.map(buildCrd), ...fluxCrds(), ...kubevirtCrds()]) {
    askAtOnce(server, 'POST', collectionPath(CUSTOMRESOURCEDEFINITIONS), definition);
  }
  const { store } = server.core;
  const objects = [...store.collections()].flatMap((collection) => {
    const { group, plural } = collection;
    return [...collection.values()].map(({ object }) => ({ group, plural, object }));
  });
  return { revision: store.revision, objects };
}
