import { createApplier } from '../kube/apply.ts';
import { createEventRecorder } from '../kube/events.ts';
import type { Informer } from '../kube/informer.ts';
import type { Manager } from '../kube/manager.ts';
import { createManager } from '../kube/manager.ts';
import type { KubeObject } from '../kube/object.ts';
import { createPatientClient } from '../kube/patientclient.ts';
import { GROUP } from '../model/group.ts';
import { ANNOTATION_APPLIED_HASH, FIELD_MANAGER } from '../model/labels.ts';
import { createBreaker } from './breaker.ts';
import type { OperatorConfig } from './config.ts';
import type { OperatorContext, OperatorDeps } from './context.ts';
import { createBreakerController } from './controllers/breaker/controller.ts';
import { createPlanController } from './controllers/plan/controller.ts';
import { createQuotaController } from './controllers/quota/controller.ts';
import { createRDPInstanceController } from './controllers/rdpinstance/controller.ts';
import { createTenantController } from './controllers/tenant/controller.ts';
import { createTombstoneController } from './controllers/tombstone/controller.ts';
import { createGrants } from './grants/grants.ts';
import { createLimitLookup } from './grants/limits.ts';
import { createInformers } from './informers.ts';
import { createTenantTree } from './tree.ts';

export const LEASE_NAME = 'sublet-operator';

/** Puts the operator together; nothing runs before the manager is started. */
export function createOperator(deps: OperatorDeps, config: OperatorConfig): Manager {
  const context = createContext(deps, config);
  const leaderElection = config.leaderElection
    ? { leaderElection: { namespace: config.systemNamespace, name: LEASE_NAME } }
    : {};
  const http = config.port === null ? undefined : { address: config.bindAddress, port: config.port };
  const manager = createManager(deps, { ...leaderElection, http });
  for (const informer of Object.values(context.informers)) manager.addInformer(informer as Informer<KubeObject>);
  for (const create of [
    createTenantController,
    createPlanController,
    createQuotaController,
    createRDPInstanceController,
    createTombstoneController,
    createBreakerController,
  ]) {
    manager.addController(create(context));
  }
  return manager;
}

/** Caches and decisions of one operator process; nothing runs before its informers are started. */
export function createContext(outside: OperatorDeps, config: OperatorConfig): OperatorContext {
  const informers = createInformers(outside, config);
  const deps = { ...outside, client: createPatientClient(outside.client, outside) };
  const tree = createTenantTree(informers, config);
  const grants = createGrants(deps, informers, tree, (namespace) => limits.inNamespace(namespace));
  const limits = createLimitLookup(informers, tree, grants.recorded);
  return {
    ...deps,
    config,
    informers,
    applier: createApplier(deps, { fieldManager: FIELD_MANAGER, hashAnnotation: ANNOTATION_APPLIED_HASH }),
    events: createEventRecorder(outside, {
      reportingController: `${GROUP}/operator`,
      reportingInstance: config.instance,
    }),
    tree,
    limits,
    grants,
    breaker: createBreaker(deps, informers, config),
  };
}
