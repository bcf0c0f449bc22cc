import type { DemoDeps, DemoWorld } from './world.ts';

export const CLUSTERS = ['embedded', 'local', 'current'] as const;
export type ClusterChoice = (typeof CLUSTERS)[number];

/** Starts a world. Only what the choice needs is loaded, so that the embedded one starts quickly. */
export async function startDemoWorld(choice: ClusterChoice, deps: DemoDeps): Promise<DemoWorld> {
  switch (choice) {
    case 'embedded':
      return (await import('./embedded.ts')).startEmbeddedDemo(deps);
    case 'local':
      return (await import('./local.ts')).startLocalDemo(deps);
    case 'current':
      return (await import('./current.ts')).startCurrentDemo(deps);
  }
}
