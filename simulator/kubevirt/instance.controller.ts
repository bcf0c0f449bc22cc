import type { Clock } from '../../kube/clock.ts';
import type { Result } from '../../kube/controller.ts';
import type { Informer } from '../../kube/informer.ts';
import { type KubeObject, renderKey } from '../../kube/object.ts';
import {
  type DataVolume,
  VIRTUALMACHINEINSTANCES,
  VIRTUALMACHINES,
  type VirtualMachine,
  type VirtualMachineInstance,
} from '../../kubevirt/index.ts';
import type { RdpServerMode } from '../rdp/server.ts';
import type { AddressPool } from './addresses.ts';
import type { Desktops } from './desktops.ts';
import { computeInstancePlan, computeInstanceStatus, type InstancePlan } from './instance.ts';
import { ANNOTATION_GUEST, type Fault, parseFault, parseGuestAction, type Settings } from './options.ts';
import { applyAnnotations, applyFinalizers, applyStatus, type Writer } from './status.ts';
import type { Timers } from './timers.ts';
import { isFinal } from './virtualmachine.ts';

export type InstanceDeps = {
  readonly clock: Clock;
  readonly settings: Settings;
  readonly timers: Timers;
  readonly addresses: AddressPool;
  readonly desktops: Desktops;
  readonly machines: Informer<VirtualMachine>;
  readonly instances: Informer<VirtualMachineInstance>;
  readonly dataVolumes: Informer<DataVolume>;
  readonly claims: Informer<KubeObject>;
};

/** Plays one VirtualMachineInstance a step further, and its guest with it. */
export async function reconcileInstance(deps: InstanceDeps, writer: Writer, key: string): Promise<Result | undefined> {
  const vmi = deps.instances.get(key);
  if (vmi === undefined) return undefined;
  const uid = vmi.metadata.uid ?? key;
  const vm = ownerOf(deps, vmi);
  if (await moveGuestAction(deps, writer, vm, vmi)) return undefined;
  const fault = parseFault(vmi, vm);
  const dataVolume = (name: string) => deps.dataVolumes.get(renderKey({ ...vmi.metadata, name }));
  const plan = computeInstancePlan({
    vmi,
    hasOwner: vm !== undefined,
    dataVolume,
    hasClaim: (name) => deps.claims.get(renderKey({ ...vmi.metadata, name })) !== undefined,
    fault,
    guestAction: parseGuestAction(vmi),
    timings: deps.settings.timings,
    remainingMs: (step, durationMs) => deps.timers.remainingMs(uid, step, durationMs),
  });
  const ipAddress = await runGuest(deps, vmi, plan, fault);
  const status = computeInstanceStatus({
    vmi,
    plan,
    nowMs: deps.clock.now(),
    nodeName: plan.phase === 'Scheduled' ? pickNode(deps.settings.nodes, uid) : vmi.status?.nodeName,
    ipAddress,
    dataVolume,
  });
  const written = await applyStatus(writer, deps.instances, vmi, status);
  await applyFinalizers(writer, deps.instances, written, plan.finalizers);
  return plan.waitMs === undefined ? undefined : { requeueAfterMs: plan.waitMs };
}

/** What is left of an instance that is gone. */
export async function forgetInstance(deps: InstanceDeps, vmi: VirtualMachineInstance): Promise<void> {
  const uid = vmi.metadata.uid ?? '';
  deps.timers.forget(uid);
  deps.addresses.release(uid);
  await deps.desktops.close(uid);
}

function ownerOf(deps: InstanceDeps, vmi: VirtualMachineInstance): VirtualMachine | undefined {
  const reference = vmi.metadata.ownerReferences?.find(({ kind }) => kind === VIRTUALMACHINES.kind);
  if (reference === undefined) return undefined;
  const vm = deps.machines.get(renderKey({ ...vmi.metadata, name: reference.name }));
  return vm?.metadata.uid === reference.uid ? vm : undefined;
}

/** An action asked of the VirtualMachine is asked of its running instance, once. Returns whether anything was written. */
async function moveGuestAction(
  deps: InstanceDeps,
  writer: Writer,
  vm: VirtualMachine | undefined,
  vmi: VirtualMachineInstance,
): Promise<boolean> {
  const action = parseGuestAction(vm);
  if (vm === undefined || action === undefined || vmi.status?.phase !== 'Running' || isFinal(vmi)) return false;
  const set = { [ANNOTATION_GUEST]: action };
  deps.instances.observeWrite(await applyAnnotations(writer, VIRTUALMACHINEINSTANCES, vmi, set));
  deps.machines.observeWrite(await applyAnnotations(writer, VIRTUALMACHINES, vm, { [ANNOTATION_GUEST]: null }));
  return true;
}

/** Opens or closes what the guest listens on; returns the address that a running instance has. */
async function runGuest(
  deps: InstanceDeps,
  vmi: VirtualMachineInstance,
  plan: InstancePlan,
  fault: Fault | undefined,
): Promise<string | undefined> {
  const uid = vmi.metadata.uid ?? '';
  if (plan.phase !== 'Running') {
    await deps.desktops.close(uid);
    deps.addresses.release(uid);
    return undefined;
  }
  const recorded = vmi.status?.interfaces?.[0]?.ipAddress;
  const kept = recorded !== undefined && deps.addresses.claim(uid, recorded);
  const address = kept ? recorded : await deps.addresses.allocate(uid);
  if (!plan.booted || fault === 'no-listener') {
    await deps.desktops.close(uid);
    return address;
  }
  try {
    await deps.desktops.open(uid, address, rdpMode(fault));
    return address;
  } catch {
    deps.addresses.release(uid);
    const other = await deps.addresses.allocate(uid);
    await deps.desktops.open(uid, other, rdpMode(fault));
    return other;
  }
}

function rdpMode(fault: Fault | undefined): RdpServerMode {
  if (fault === 'never-answers') return 'silent';
  return fault === 'garbage' || fault === 'refuses' ? fault : 'normal';
}

function pickNode(nodes: readonly string[], uid: string): string {
  const sum = [...uid].reduce((total, letter) => total + letter.charCodeAt(0), 0);
  return nodes[sum % nodes.length] ?? 'node-1';
}
