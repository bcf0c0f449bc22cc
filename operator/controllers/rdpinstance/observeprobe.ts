import type { VirtualMachineInstance } from '../../../kubevirt/index.ts';
import { RDP_PORT } from '../../desired/rdpinstance/metadata.ts';
import type { Epoch } from './power.ts';
import type { Prober, ProbeState } from './prober.ts';

/**
 * Has the desktop probed while its guest runs, and says what is known. Undefined while there is nothing to ask: no VMI,
 * none with an address yet, or one whose epoch has ended.
 */
export function observeProbe(
  prober: Prober,
  key: string,
  instance: VirtualMachineInstance | undefined,
  epoch: Epoch | undefined,
  failedBefore: string | undefined,
): ProbeState | undefined {
  const host = instance?.status?.phase === 'Running' ? instance.status.interfaces?.[0]?.ipAddress : undefined;
  if (host === undefined || host === '' || epoch === undefined || epoch.endedAt !== undefined) {
    prober.forget(key);
    return undefined;
  }
  const answeredBefore = epoch.firstHandshakeAt !== undefined;
  return prober.observe(key, { vmiUID: epoch.vmiUID, host, port: RDP_PORT, answeredBefore, failedBefore });
}
