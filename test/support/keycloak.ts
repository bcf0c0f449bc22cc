import { type Keycloak, obtainKeycloak, startKeycloak } from '../cluster/keycloak.ts';
import { describeWithProgram } from './program.ts';

/** A `describe` with a Keycloak of its own, as `describeWithProgram` says. */
export function describeWithKeycloak(name: string, tests: (keycloak: () => Keycloak) => void): Promise<void> {
  return describeWithProgram(name, { what: 'keycloak', obtain: obtainKeycloak, start: startKeycloak }, tests);
}
