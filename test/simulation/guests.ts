import type { Client } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/object.ts';
import { VIRTUALMACHINEINSTANCES } from '../../kubevirt/index.ts';
import type { Store } from '../../simulator/apiserver/store.ts';
import type { MemoryNetwork } from '../../simulator/kubevirt/memorynetwork.ts';
import { ANNOTATION_GUEST } from '../../simulator/kubevirt/options.ts';
import type { SeededRandom } from '../../simulator/random.ts';
import type { World } from './contract.ts';
import { find, listAll } from './peek.ts';

const INSTANCES = 'virtualmachineinstances.kubevirt.io';
const NODES = ['node-1', 'node-2', 'node-3'] as const;

type Guest = KubeObject & { readonly status?: { readonly nodeName?: string; readonly phase?: string } };

/** What happens to guests from outside the product. */
export function createGuests(deps: {
  readonly store: Store;
  readonly admin: Client;
  readonly network: MemoryNetwork;
  readonly random: SeededRandom;
}): Pick<World, 'crashNode' | 'setGuestAnswers'> {
  const { store, admin, network, random } = deps;
  return {
    crashNode(name) {
      const lost = name ?? random.pick(NODES);
      for (const vmi of listAll<Guest>(store, INSTANCES)) {
        if (vmi.status?.nodeName !== lost || vmi.status.phase !== 'Running') continue;
        const body = { metadata: { annotations: { [ANNOTATION_GUEST]: 'crash' } } };
        // Over when it returns, and what it says is of no interest.
        admin.patch(VIRTUALMACHINEINSTANCES, vmi.metadata, { type: 'merge', body }).catch(() => {});
      }
    },
    setGuestAnswers(key, answers) {
      const uid = find(store, INSTANCES, key)?.metadata.uid;
      if (uid !== undefined) network.setSilent(uid, !answers);
    },
  };
}
