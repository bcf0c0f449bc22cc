import { checkNoSeller } from '../../../crds/rules/noseller.ts';
import type { Reason } from '../../../crds/v1alpha1/conditions.ts';
import type { Plan } from '../../../crds/v1alpha1/plan.ts';
import { TerminalError } from '../../../kube/errors.ts';
import type { KubeObject } from '../../../kube/object.ts';
import { parseQuantity, renderQuantity, tryParseQuantityNanos } from '../../../kube/quantity.ts';
import type { DataVolume, VirtualMachineInstance } from '../../../kubevirt/index.ts';
import {
  ANNOTATION_FIRST_BOOT,
  ANNOTATION_MIN_DISK,
  ANNOTATION_OS,
  ANNOTATION_REMOVED_AT,
  ANNOTATION_SWEEP_AT,
} from '../../../model/labels.ts';
import { type Amounts, maxAmounts } from '../../../model/limits.ts';
import type { DesktopSize } from '../../../model/planlookup.ts';
import type { DesktopInput, FirstBoot, OperatingSystem, Reader } from '../../desired/rdpinstance/build.ts';
import { ANNOTATION_STORAGE } from '../../desired/rdpinstance/metadata.ts';
import type { ClaimLike, DesktopObservation, Members } from './observation.ts';

/** A desktop that can be built. */
export type ValidDesktop = {
  /** All but the power, which is decided apart. */
  readonly input: Omit<DesktopInput, 'power'>;
  readonly plan: Plan & KubeObject;
  readonly claim: ClaimLike | undefined;
};

/** All refusals of a desktop. Throws TerminalError with the field, the rule and the next step; what returns can be built. */
export function validateDesktop(observed: DesktopObservation): ValidDesktop {
  const { desktop, owner, children } = observed;
  const { name, namespace = '' } = desktop.metadata;
  if (owner === undefined) {
    throw refuse(
      'NoSeller',
      `namespace ${namespace} belongs to no tenant; create the RDPInstance in a tenant's namespace`,
    );
  }
  const facts = { namespace, owner: owner.path === undefined ? 'Root' : 'Unknown' } as const;
  for (const { message } of checkNoSeller(desktop, facts)) throw refuse('NoSeller', message);
  const { members } = owner;
  if (members === undefined) {
    throw refuse(
      'TenantNotFound',
      `the Tenant of namespace ${namespace} is not there; the desktop stays as it is until the Tenant is back`,
    );
  }
  const { plan, size } = validatePlan(observed);
  refuseOtherImage(observed);
  const image = validateImage(observed, size);
  const recorded = computeDiskBytes(children.disk);
  refuseShrink(observed, size, recorded);
  const input = {
    namespace,
    name,
    tenantId: owner.tenantId,
    username: desktop.spec.username,
    image,
    size: { vcpu: size.vcpu, memoryBytes: size.memoryBytes, storageBytes: size.storageBytes, gpus: size.gpus },
    disk: describeDisk(children.disk, size),
    access: { type: desktop.spec.access?.type ?? 'LoadBalancer', allow: desktop.spec.access?.allow },
    readers: listReaders(members),
  } as const;
  return { input, plan, claim: children.claim };
}

/**
 * What the desktop has to have granted: what it is to be, and as long as the guest of an older size runs the higher of the two, and its address
 * as long as the Service has one. A desktop that its owner stopped gives back what only a running guest needs, once no guest can come any more; a
 * suspended one keeps it, so that resuming restores exactly what ran.
 */
export function computeAsk(valid: ValidDesktop, observed: DesktopObservation): Amounts {
  const { size, access } = valid.input;
  const { instance, disk, service, virtualMachine } = observed.children;
  const wanted: Amounts = {
    desktops: 1n,
    storage: maxBytes(size.storageBytes, computeDiskBytes(disk) ?? 0n),
    addresses: [access.type, service?.spec?.type].includes('LoadBalancer') ? 1n : 0n,
  };
  const mayRun = instance !== undefined || virtualMachine?.spec.runStrategy === 'RerunOnFailure';
  if (!mayRun && observed.desktop.spec.power === 'Stopped') return wanted;
  const bought = { vcpu: BigInt(size.vcpu), memory: size.memoryBytes, gpus: BigInt(size.gpus?.count ?? 0) };
  return { ...wanted, ...maxAmounts(bought, instance === undefined ? {} : computeGuestSize(instance)) };
}

/** What a guest has, as its VMI says. */
export function computeGuestSize(instance: VirtualMachineInstance) {
  const { cpu, memory, devices } = instance.spec.domain;
  return {
    vcpu: BigInt((cpu?.sockets ?? 1) * (cpu?.cores ?? 1) * (cpu?.threads ?? 1)),
    memory: memory?.guest === undefined ? 0n : parseQuantity(memory.guest),
    gpus: BigInt(devices.gpus?.length ?? 0),
  };
}

const READING_ROLES: ReadonlySet<string> = new Set(['Owner', 'Admin', 'Developer']);

/** The members who may read a desktop's credentials. */
export function listReaders(members: Members): readonly Reader[] {
  return members.filter(({ role }) => READING_ROLES.has(role)).map(({ kind, name }) => ({ kind, name }));
}

function validatePlan({ desktop, plan }: DesktopObservation) {
  const wanted = desktop.spec.plan;
  if (plan === undefined) throw refuse('NoSeller', `nobody sells to namespace ${desktop.metadata.namespace}`);
  if (!plan.ok) {
    if (plan.plan === undefined) throw refuse('PlanNotFound', `spec.plan: ${plan.problem.message}`);
    throw refuse('PlanNotReady', `spec.plan: Plan ${wanted} is not ready: ${plan.problem.message}`);
  }
  if (plan.desktop === undefined) {
    const { offers } = plan.plan.spec;
    throw refuse(
      'PlanNotFound',
      `spec.plan: Plan ${wanted} offers ${offers}, an RDPInstance needs one that offers Desktop`,
    );
  }
  return { plan: plan.plan, size: plan.desktop };
}

/** A disk is made from one image for good; a tombstone is taken back only as what it is. */
function refuseOtherImage({ desktop, children }: DesktopObservation): void {
  const made = children.disk?.spec.sourceRef?.name;
  const { image } = desktop.spec;
  if (made === undefined || made === image) return;
  const until = findGrace(children.disk);
  if (until === undefined) {
    throw refuse(
      'Invalid',
      `spec.image: the disk was made from ${made} and cannot become ${image}; order a new desktop instead`,
    );
  }
  throw refuse(
    'TombstoneConflict',
    `spec.image: a removed desktop of this name keeps its disk, made from ${made}, until ${until}; ` +
      `name ${made} to take it back, choose another name, or wait`,
  );
}

function refuseShrink(
  { desktop, children }: DesktopObservation,
  size: DesktopSize,
  diskBytes: bigint | undefined,
): void {
  if (diskBytes === undefined || size.storageBytes >= diskBytes) return;
  const sizes = `Plan ${desktop.spec.plan} gives ${renderQuantity(size.storageBytes)} of storage and the disk has ${renderQuantity(diskBytes)}`;
  const until = findGrace(children.disk);
  if (until === undefined) {
    throw refuse(
      'StorageShrink',
      `spec.plan: ${sizes}; a disk never shrinks, choose a plan with at least ${renderQuantity(diskBytes)}`,
    );
  }
  throw refuse(
    'TombstoneConflict',
    `spec.plan: ${sizes} that a removed desktop of this name keeps until ${until}; ` +
      `choose a plan with at least ${renderQuantity(diskBytes)} to take it back, choose another name, or wait`,
  );
}

function validateImage({ desktop, image }: DesktopObservation, size: DesktopSize): DesktopInput['image'] {
  const name = desktop.spec.image;
  if (!size.images.includes(name)) {
    const allowed = size.images.length === 0 ? 'none' : size.images.join(', ');
    throw refuse(
      'ImageNotAllowed',
      `spec.image: ${name} is not among the images of Plan ${desktop.spec.plan}: ${allowed}`,
    );
  }
  if (image === undefined) {
    throw refuse(
      'ImageNotFound',
      `spec.image: the provider has no image ${name} yet; the order goes on when it appears`,
    );
  }
  const annotations = image.metadata.annotations ?? {};
  const os = parseOs(annotations[ANNOTATION_OS]);
  const firstBoot = parseFirstBoot(annotations[ANNOTATION_FIRST_BOOT]);
  if (os === undefined || firstBoot === undefined || (os === 'Linux') !== (firstBoot === 'CloudInit')) {
    throw refuse(
      'ImageNotFound',
      `spec.image: image ${name} is not ready for use: the provider has to annotate it with ${ANNOTATION_OS}: Linux or Windows, ` +
        `and ${ANNOTATION_FIRST_BOOT}: CloudInit for Linux, CloudbaseInit or Sysprep for Windows`,
    );
  }
  const least = parseMinDisk(annotations[ANNOTATION_MIN_DISK]);
  if (least !== undefined && least > size.storageBytes) {
    throw refuse(
      'ImageNotAllowed',
      `spec.image: ${name} needs ${renderQuantity(least)} of storage and Plan ${desktop.spec.plan} gives ` +
        `${renderQuantity(size.storageBytes)}; choose a larger plan or another image`,
    );
  }
  return { name, namespace: image.metadata.namespace ?? '', os, firstBoot };
}

function describeDisk(disk: DataVolume | undefined, size: DesktopSize): DesktopInput['disk'] {
  const storage = disk?.spec.storage;
  const present = storage?.resources?.requests?.storage;
  if (storage === undefined || present === undefined) {
    return { storageBytes: size.storageBytes, storageClassName: size.storageClassName };
  }
  return { storageBytes: parseQuantity(present), storageClassName: storage.storageClassName };
}

/** How large the disk is: as it was made, or as it was last grown to. */
export function computeDiskBytes(disk: DataVolume | undefined): bigint | undefined {
  const made = disk?.spec.storage?.resources?.requests?.storage;
  const grown = disk?.metadata.annotations?.[ANNOTATION_STORAGE];
  if (made === undefined) return grown === undefined ? undefined : parseQuantity(grown);
  return grown === undefined ? parseQuantity(made) : maxBytes(parseQuantity(made), parseQuantity(grown));
}

function findGrace(disk: DataVolume | undefined): string | undefined {
  const annotations = disk?.metadata.annotations;
  if (annotations?.[ANNOTATION_REMOVED_AT] === undefined) return undefined;
  return annotations[ANNOTATION_SWEEP_AT] ?? 'it is swept';
}

function parseOs(text: string | undefined): OperatingSystem | undefined {
  return text === 'Linux' || text === 'Windows' ? text : undefined;
}

function parseFirstBoot(text: string | undefined): FirstBoot | undefined {
  return text === 'CloudInit' || text === 'CloudbaseInit' || text === 'Sysprep' ? text : undefined;
}

/** An annotation that is no quantity limits nothing: the clone itself then says what is wrong. */
function parseMinDisk(text: string | undefined): bigint | undefined {
  const nanos = text === undefined ? undefined : tryParseQuantityNanos(text);
  return nanos === undefined || text === undefined ? undefined : parseQuantity(text);
}

function maxBytes(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function refuse(reason: Reason, message: string): TerminalError {
  return new TerminalError(reason, message);
}
