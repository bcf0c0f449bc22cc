import { renderQuantity } from '../../../kube/quantity.ts';
import type { DesktopObservation } from './observation.ts';
import { computeGuestSize, type ValidDesktop } from './validate.ts';

/** What a running guest gets only by a restart, in one sentence; `undefined` when it has everything. Pure. */
export function computeRestartRequired({ input }: ValidDesktop, { children }: DesktopObservation): string | undefined {
  const { instance, virtualMachine } = children;
  if (instance === undefined) return undefined;
  const guest = computeGuestSize(instance);
  const { vcpu, memoryBytes, gpus } = input.size;
  const gpuCount = BigInt(gpus?.count ?? 0);
  const changes = [
    guest.vcpu === BigInt(vcpu) ? '' : `vcpu ${guest.vcpu} to ${vcpu}`,
    guest.memory === memoryBytes ? '' : `memory ${renderQuantity(guest.memory)} to ${renderQuantity(memoryBytes)}`,
    guest.gpus === gpuCount ? '' : `gpus ${guest.gpus} to ${gpuCount}`,
  ].filter((change) => change !== '');
  const next = 'takes effect at the next start; set spec.restartedAt to the present time to restart now';
  if (changes.length > 0) return `${changes.join(', ')} ${next}`;
  const told = virtualMachine?.status?.conditions?.some(
    ({ type, status }) => type === 'RestartRequired' && status === 'True',
  );
  return told === true ? `a change of the virtual machine ${next}` : undefined;
}
