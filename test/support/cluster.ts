import { afterAll, beforeAll, describe, inject, it } from 'vitest';
import { type OwnCluster, startCluster } from '../cluster/cluster.ts';
import { connectCluster } from '../cluster/connect.ts';
import type { Cluster } from '../cluster/contract.ts';
import type { ApiServerIssuer } from '../cluster/controlplane.ts';
import type { ClusterProvision } from './globalsetup.ts';

const MAX_REASON = 400;

/** What a group of tests needs beyond an API server. */
export type ClusterNeeds = {
  /** Flux's source- and kustomize-controller and a git server that they reach. */
  readonly flux?: boolean;
  /** The API server's audit log. */
  readonly audit?: boolean;
  /** Whose ID tokens a control plane of the group's own takes; asked when it starts. */
  readonly issuer?: () => ApiServerIssuer;
};

/**
 * A `describe` whose tests use the control plane that the whole run shares: use namespaces of your own and leave nothing
 * cluster-wide behind. Where there is no such control plane the tests are skipped and the reason stands in the name;
 * when `SUBLET_REQUIRE` lists what is missing (`cluster`, `flux`), that is a failure instead.
 */
export function describeWithCluster(name: string, needs: ClusterNeeds, tests: (cluster: () => Cluster) => void): void {
  const provision = inject('cluster');
  const lack = findLack(provision, needs, false);
  if (lack !== undefined || !provision.available) {
    describeLack(name, lack, () => tests(unreachable));
    return;
  }
  const { info } = provision;
  describe(name, () => {
    let cluster: Cluster | undefined;
    beforeAll(async () => {
      cluster = await connectCluster(info);
    });
    afterAll(() => cluster?.stop());
    tests(() => cluster ?? unreachable());
  });
}

/**
 * The same with a fresh control plane for this group alone (about four seconds): for tests that stop or flood it, install
 * cluster-wide objects or look at everything in it.
 */
export function describeWithOwnCluster(
  name: string,
  needs: ClusterNeeds,
  tests: (cluster: () => OwnCluster) => void,
): void {
  const provision = inject('cluster');
  const lack = findLack(provision, needs, true);
  if (lack !== undefined) {
    describeLack(name, lack, () => tests(unreachable));
    return;
  }
  describe(name, () => {
    let cluster: OwnCluster | undefined;
    beforeAll(async () => {
      cluster = await startCluster({
        flux: needs.flux === true,
        ...(needs.issuer === undefined ? {} : { issuer: needs.issuer() }),
      });
    });
    afterAll(() => cluster?.stop());
    tests(() => cluster ?? unreachable());
  });
}

export type Lack = {
  readonly what: 'cluster' | 'flux' | 'audit' | 'gitea' | 'keycloak' | 'schemathesis';
  readonly reason: string;
};

function findLack(provision: ClusterProvision, needs: ClusterNeeds, own: boolean): Lack | undefined {
  if (!provision.available) return { what: needs.flux === true ? 'flux' : 'cluster', reason: provision.reason };
  if (own && provision.lent)
    return { what: 'cluster', reason: 'this test stops programs, which SUBLET_TEST_KUBECONFIG does not allow' };
  if (needs.flux === true && !provision.info.flux) {
    return { what: 'flux', reason: 'the lent cluster has no Flux, or SUBLET_TEST_GIT_HOST is not set' };
  }
  if (needs.audit === true && provision.info.auditLog === undefined) {
    return { what: 'audit', reason: 'a lent cluster gives no audit log' };
  }
  return undefined;
}

/** Skips the tests, with the reason in the name, or makes the lack a failure where `SUBLET_REQUIRE` lists it. */
export function describeLack(name: string, lack: Lack | undefined, tests: () => void): void {
  const { what, reason } = lack ?? { what: 'cluster', reason: 'no control plane' };
  if (isRequired(what)) {
    describe(name, () => {
      it(`has what it needs (${what}, which SUBLET_REQUIRE lists)`, () => {
        throw new Error(`there is no ${what} for these tests: ${reason}`);
      });
    });
    return;
  }
  // One line, and nothing that ends the bracket, which the summary of skipped tests looks for.
  const line = reason.replaceAll(/\s+/g, ' ').replaceAll(/[[\]]/g, '').slice(0, MAX_REASON);
  describe.skip(`${name} [needs ${what}: ${line}]`, tests);
}

/** Whether `SUBLET_REQUIRE`, a comma-separated list, turns a skip for want of this into a failure. */
export function isRequired(what: string, required = process.env.SUBLET_REQUIRE ?? ''): boolean {
  return required.split(',').some((word) => word.trim() === what);
}

function unreachable(): never {
  throw new Error('the cluster is there only while a test or a hook of this group runs');
}
