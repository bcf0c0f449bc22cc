import type { Clock, Random } from '../../kube/clock.ts';
import type { Result } from '../../kube/controller.ts';
import { isAlreadyExists, isNotFound } from '../../kube/errors.ts';
import type { Informer } from '../../kube/informer.ts';
import { type KubeObject, renderKey } from '../../kube/object.ts';
import {
  DATAVOLUMES,
  type DataVolume,
  VIRTUALMACHINEINSTANCES,
  type VirtualMachine,
  type VirtualMachineInstance,
} from '../../kubevirt/index.ts';
import type { Settings } from './options.ts';
import { applyFinalizers, applyStatus, type Writer } from './status.ts';
import { computeVirtualMachineStatus } from './virtualmachine.status.ts';
import {
  computeVirtualMachinePlan,
  isFinal,
  type VirtualMachineFacts,
  type VirtualMachinePlan,
  VM_FINALIZER,
  VMI_FINALIZER,
} from './virtualmachine.ts';

export type ClaimWithStatus = KubeObject & { readonly status?: { readonly phase?: string } };

export type VirtualMachineDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: Settings;
  readonly machines: Informer<VirtualMachine>;
  readonly instances: Informer<VirtualMachineInstance>;
  readonly dataVolumes: Informer<DataVolume>;
  readonly claims: Informer<ClaimWithStatus>;
};

/** Plays KubeVirt's VirtualMachine controller for one key. */
export async function reconcileVirtualMachine(
  deps: VirtualMachineDeps,
  writer: Writer,
  key: string,
): Promise<Result | undefined> {
  const vm = deps.machines.get(key);
  if (vm === undefined) return undefined;
  const facts = observe(deps, vm);
  const plan = computeVirtualMachinePlan(facts);
  if (plan.finalizer !== undefined) {
    await applyVmFinalizer(deps, writer, vm, plan.finalizer);
    return undefined;
  }
  for (const dataVolume of plan.createDataVolumes ?? []) await createDataVolume(deps, writer, dataVolume);
  const vmi = plan.start === undefined ? facts.vmi : await createInstance(deps, writer, plan.start);
  // The status goes before the delete: it holds the request that starts a failed machine again.
  await applyStatus(writer, deps.machines, vm, computeStatus(deps, { ...facts, vmi }, plan));
  if (vmi === undefined) return waiting(plan);
  if (plan.stop === true) await deleteInstance(writer, vmi);
  else await releaseInstance(deps, writer, vmi);
  return waiting(plan);
}

function waiting(plan: VirtualMachinePlan): Result | undefined {
  return plan.waitMs === undefined ? undefined : { requeueAfterMs: plan.waitMs };
}

function observe(deps: VirtualMachineDeps, vm: VirtualMachine): VirtualMachineFacts {
  const vmi = deps.instances.get(renderKey(vm.metadata));
  const owned = vmi?.metadata.ownerReferences?.some(({ uid }) => uid === vm.metadata.uid) ?? false;
  return {
    vm,
    vmi: owned ? vmi : undefined,
    dataVolume: (name) => deps.dataVolumes.get(renderKey({ ...vm.metadata, name })),
    nowMs: deps.clock.now(),
  };
}

function computeStatus(deps: VirtualMachineDeps, facts: VirtualMachineFacts, plan: VirtualMachinePlan) {
  return computeVirtualMachineStatus({
    ...facts,
    plan,
    isUnbound: (name) => {
      const claim = deps.claims.get(renderKey({ ...facts.vm.metadata, name }));
      return claim !== undefined && claim.status?.phase !== 'Bound';
    },
    timings: deps.settings.timings,
    random: () => deps.random.next(),
  });
}

async function applyVmFinalizer(
  deps: VirtualMachineDeps,
  writer: Writer,
  vm: VirtualMachine,
  change: 'add' | 'remove',
): Promise<void> {
  const others = (vm.metadata.finalizers ?? []).filter((one) => one !== VM_FINALIZER);
  await applyFinalizers(writer, deps.machines, vm, change === 'add' ? [...others, VM_FINALIZER] : others);
}

async function createDataVolume(deps: VirtualMachineDeps, { client, signal }: Writer, dataVolume: DataVolume) {
  try {
    deps.dataVolumes.observeWrite(await client.create(DATAVOLUMES, dataVolume, { signal }));
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

async function createInstance(
  deps: VirtualMachineDeps,
  { client, signal }: Writer,
  vmi: VirtualMachineInstance,
): Promise<VirtualMachineInstance> {
  const created = await client.create(VIRTUALMACHINEINSTANCES, vmi, { signal });
  deps.instances.observeWrite(created);
  return created;
}

async function deleteInstance({ client, signal }: Writer, { metadata }: VirtualMachineInstance): Promise<void> {
  try {
    await client.delete(VIRTUALMACHINEINSTANCES, metadata, { preconditions: { uid: metadata.uid }, signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** Once the end of an instance is in the VirtualMachine's status, and its machine is gone, the instance may go. */
async function releaseInstance(deps: VirtualMachineDeps, writer: Writer, vmi: VirtualMachineInstance): Promise<void> {
  const finalizers = vmi.metadata.finalizers ?? [];
  if (!isFinal(vmi) || !finalizers.includes(VM_FINALIZER) || finalizers.includes(VMI_FINALIZER)) return;
  const others = finalizers.filter((one) => one !== VM_FINALIZER);
  await applyFinalizers(writer, deps.instances, vmi, others);
}
