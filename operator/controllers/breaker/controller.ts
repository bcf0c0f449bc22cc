import { createController, watchOf } from '../../../kube/controller.ts';
import type { Informer } from '../../../kube/informer.ts';
import type { KubeObject } from '../../../kube/object.ts';
import type { OperatorContext } from '../../context.ts';
import { BREAKER_NAME } from '../../informers.ts';
import { always } from '../../predicates.ts';
import { parseTombstone, releaseHold } from '../../tombstone.ts';

/** Carries out what the breaker held, once a person confirmed the id that its ConfigMap shows. */
export function createBreakerController(context: OperatorContext) {
  const { breaker, namespaces, virtualMachines, dataVolumes, secrets } = context.informers;
  const held = [namespaces, virtualMachines, dataVolumes, secrets] as readonly Informer<KubeObject>[];
  return createController(context, {
    name: BREAKER_NAME,
    workers: 1,
    watches: [
      watchOf({ informer: breaker, map: () => [BREAKER_NAME], predicate: always }),
      ...held.map((informer) =>
        watchOf({
          informer,
          map: (object) => (parseTombstone(object)?.held === true ? [BREAKER_NAME] : []),
          predicate: always,
        }),
      ),
    ],
    reconcile: async (_key, signal) => {
      await context.breaker.settle(signal);
      if (context.breaker.tripped() !== undefined) return;
      const objects = held.flatMap((informer) => informer.list().map((object) => ({ informer, object })));
      const waiting = objects.filter(({ object }) => parseTombstone(object)?.held === true);
      if (waiting.length === 0) return;
      if (!context.breaker.confirmed()) {
        await context.breaker.trip(`${waiting.length} removals are held and the record of why is gone`, signal);
        return;
      }
      for (const { informer, object } of waiting) await releaseHold(context, informer, object, signal);
    },
  });
}
