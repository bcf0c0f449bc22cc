import type { Clock } from '../../kube/clock.ts';
import { createSelfSignedCertificate } from '../rdp/certificate.ts';
import { type RdpServer, type RdpServerMode, startRdpServer } from '../rdp/server.ts';

/** The listeners of running guests, by the uid of their VirtualMachineInstance. */
export type Desktops = {
  /** Listens, or changes the mode of what listens already. Rejects when the address cannot be bound. */
  open(uid: string, address: string, mode: RdpServerMode): Promise<void>;
  close(uid: string): Promise<void>;
  isOpen(uid: string): boolean;
  closeAll(): Promise<void>;
};

export function createDesktops(deps: { readonly clock: Clock }, port: number): Desktops {
  const servers = new Map<string, RdpServer>();
  const certificate = createSelfSignedCertificate('simulated desktop', deps.clock.now());
  const close = async (uid: string): Promise<void> => {
    const server = servers.get(uid);
    servers.delete(uid);
    await server?.stop();
  };
  return {
    async open(uid, address, mode) {
      const present = servers.get(uid);
      if (present?.address === address) {
        present.setMode(mode);
        return;
      }
      await close(uid);
      servers.set(uid, await startRdpServer({ address, port, mode, certificate }, deps));
    },
    close,
    isOpen: (uid) => servers.has(uid),
    async closeAll() {
      await Promise.all([...servers.keys()].map(close));
    },
  };
}
