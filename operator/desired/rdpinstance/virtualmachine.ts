import { renderQuantity, renderQuantityMilli } from '../../../kube/quantity.ts';
import { computeResourceId, computeUuid } from '../../../model/identity.ts';
import type { DesktopInput, DesktopSettings, FirstBoot } from './build.ts';
import {
  ANNOTATION_ENDED_EPOCH,
  ANNOTATION_GUEST_DOWN,
  buildMetadata,
  buildSelector,
  type RenderedObject,
} from './metadata.ts';

const DISK = 'disk';
const FIRST_BOOT = 'firstboot';

/**
 * The virtual machine. Its firmware UUID and serial come from the desktop's identity, so that a guest that returns
 * recognises itself (licences, cloud-init's instance id). The password is never in its spec: first boot reads the
 * Secret. Nothing of the host is reachable: the pod network by masquerade, GPUs by the device name that the
 * provider's plan states, no host disk, host device or node selector.
 */
export function buildVirtualMachine(input: DesktopInput, settings: DesktopSettings): RenderedObject {
  const metadata = buildMetadata(input);
  const { runStrategy, endedEpoch, guestDownAt } = input.power;
  const annotations = {
    ...(endedEpoch === undefined ? {} : { [ANNOTATION_ENDED_EPOCH]: endedEpoch }),
    ...(guestDownAt === undefined ? {} : { [ANNOTATION_GUEST_DOWN]: guestDownAt }),
  };
  return {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachine',
    metadata: { ...metadata, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) },
    spec: {
      runStrategy,
      template: {
        metadata: { labels: buildSelector(input) },
        spec: {
          hostname: input.name,
          evictionStrategy: 'LiveMigrateIfPossible',
          terminationGracePeriodSeconds: input.image.os === 'Windows' ? 180 : 60,
          domain: buildDomain(input, settings),
          networks: [{ name: 'default', pod: {} }],
          volumes: [
            { name: DISK, dataVolume: { name: metadata.name } },
            { name: FIRST_BOOT, ...buildFirstBootVolume(input.image.firstBoot, metadata.name) },
          ],
        },
      },
    },
  };
}

function buildDomain(input: DesktopInput, settings: DesktopSettings) {
  const { vcpu, memoryBytes } = input.size;
  const memory = renderQuantity(memoryBytes);
  const uuid = computeUuid(computeResourceId(input.tenantId, 'RDPInstance', input.name));
  const windows = input.image.os === 'Windows';
  return {
    machine: { type: 'q35' },
    cpu: { sockets: 1, cores: vcpu, threads: 1 },
    memory: { guest: memory },
    resources: {
      requests: { cpu: renderQuantityMilli(BigInt(Math.ceil((vcpu * 1000) / settings.vcpusPerCpu))), memory },
    },
    firmware: {
      uuid,
      serial: uuid,
      bootloader: { efi: windows ? { secureBoot: true, persistent: true } : { secureBoot: false } },
    },
    ...(windows ? { clock: WINDOWS_CLOCK, features: WINDOWS_FEATURES } : { features: { acpi: {} } }),
    devices: buildDevices(input),
  };
}

/**
 * Linux has virtio drivers in its kernel. A Windows image is not assumed to hold them, so it gets devices that Windows
 * itself drives: SATA and e1000e.
 */
function buildDevices(input: DesktopInput) {
  const { gpus } = input.size;
  const windows = input.image.os === 'Windows';
  const bus = windows ? 'sata' : 'virtio';
  const sysprep = input.image.firstBoot === 'Sysprep';
  return {
    disks: [
      { name: DISK, bootOrder: 1, disk: { bus } },
      { name: FIRST_BOOT, ...(sysprep ? { cdrom: { bus: 'sata', readonly: true } } : { disk: { bus } }) },
    ],
    interfaces: [{ name: 'default', masquerade: {}, model: windows ? 'e1000e' : 'virtio' }],
    inputs: [{ name: 'tablet', type: 'tablet', bus: 'usb' }],
    ...(windows ? { tpm: { persistent: true } } : { rng: {}, networkInterfaceMultiqueue: true, blockMultiQueue: true }),
    ...(gpus === undefined
      ? {}
      : {
          gpus: Array.from({ length: gpus.count }, (_, index) => ({
            name: `gpu${index + 1}`,
            deviceName: gpus.deviceName,
          })),
        }),
  };
}

function buildFirstBootVolume(firstBoot: FirstBoot, secretName: string) {
  const secretRef = { name: secretName };
  switch (firstBoot) {
    case 'CloudInit':
      return { cloudInitNoCloud: { secretRef } };
    case 'CloudbaseInit':
      return { cloudInitConfigDrive: { secretRef } };
    case 'Sysprep':
      return { sysprep: { secret: secretRef } };
  }
}

/** The enlightenments that KubeVirt supports on every x86 host and that live migration survives. */
const WINDOWS_FEATURES = {
  acpi: {},
  apic: {},
  smm: { enabled: true },
  hyperv: {
    relaxed: {},
    vapic: {},
    spinlocks: { spinlocks: 8191 },
    vpindex: {},
    runtime: {},
    synic: {},
    synictimer: { direct: {} },
    reset: {},
    frequencies: {},
    tlbflush: {},
    ipi: {},
  },
} as const;

/** Windows keeps time by Hyper-V's clock; a high precision timer costs it CPU. */
const WINDOWS_CLOCK = {
  utc: {},
  timer: {
    hpet: { present: false },
    pit: { tickPolicy: 'delay' },
    rtc: { tickPolicy: 'catchup' },
    hyperv: {},
  },
} as const;
