import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KINDS, PLANS, TENANTS } from '../../crds/v1alpha1/resources.ts';
import type { JsonMap } from '../../gitops/intent.ts';
import type { Change } from '../../gitops/journal.ts';
import type { Client } from '../../kube/client.ts';
import { RequestError, StatusError } from '../../kube/errors.ts';
import { createDryRun } from './dryrun.ts';

type Asked = {
  readonly verb: 'apply' | 'delete';
  readonly resource: unknown;
  readonly what: unknown;
  readonly options: object;
};

const signal = new AbortController().signal;
let asked: Asked[];
let answer: Error | undefined;
beforeEach(() => {
  asked = [];
  answer = undefined;
});
afterEach(() => expect(asked.length).toBeLessThanOrEqual(1));

/** Notes what it is asked and answers as told; nothing else of a client is used. */
const client = {
  apply: async (resource: unknown, what: unknown, options: object) => take({ verb: 'apply', resource, what, options }),
  delete: async (resource: unknown, what: unknown, options: object) =>
    take({ verb: 'delete', resource, what, options }),
} as unknown as Client;

function take(one: Asked): void {
  asked.push(one);
  if (answer !== undefined) throw answer;
}

const dryRun = createDryRun(
  client,
  KINDS.map(({ resource }) => resource),
  (namespace) => (namespace === 't-own' ? undefined : `system:serviceaccount:sublet-fleet:${namespace}`),
);
const change = (kind: string, namespace = 't-acme') =>
  ({ intent: { type: 'Delete', target: { kind, namespace, name: 'pro' } } }) as Change;
const plan: JsonMap = { apiVersion: 'sublet.dev/v1alpha1', kind: 'Plan', metadata: { name: 'pro' }, spec: {} };
const refusal = (code: number, message: string) => new StatusError({ code, message }, { call: 'apply' });

describe('the dry run', () => {
  it('applies in the folder’s namespace, as the account that Flux applies it with, and changes nothing', async () => {
    expect(await dryRun(change('Plan'), plan, signal)).toEqual({ type: 'accepted' });
    const account = 'system:serviceaccount:sublet-fleet:t-acme';
    expect(asked).toEqual([
      {
        verb: 'apply',
        resource: PLANS,
        what: { ...plan, metadata: { name: 'pro', namespace: 't-acme' } },
        options: { dryRun: true, impersonate: account, signal, fieldManager: 'kustomize-controller', force: true },
      },
    ]);
  });

  it('asks about a removal by a delete', async () => {
    expect(await dryRun(change('Tenant'), undefined, signal)).toEqual({ type: 'accepted' });
    expect(asked).toMatchObject([{ verb: 'delete', resource: TENANTS, options: { dryRun: true } }]);
  });

  it.each([
    [400, 'strict decoding error'],
    [403, 'plans.sublet.dev is forbidden: User cannot patch'],
    [422, 'Plan "pro" is invalid: spec.currency: Required value'],
  ])('takes %i for a refusal, in the API server’s words', async (code, message) => {
    answer = refusal(code, message);
    expect(await dryRun(change('Plan'), plan, signal)).toEqual({ type: 'refused', message: `apply: ${message}` });
  });

  it.each([
    ['is not there', 404, 'namespaces "t-acme" not found'],
    [
      'has not been counted',
      403,
      'plans.sublet.dev "pro" is forbidden: status unknown for quota: sublet, resources: count/plans.sublet.dev',
    ],
  ])('takes a namespace that %s yet for no refusal', async (_, code, message) => {
    answer = refusal(code, message);
    expect(await dryRun(change('Plan'), plan, signal)).toEqual({ type: 'accepted' });
  });

  it.each([
    ['an API server that is away', new RequestError('connect', 'no connection')],
    ['one that is overloaded', refusal(503, 'try later')],
    [
      'a right of our own that is missing',
      refusal(403, 'User "sublet-api" cannot impersonate resource "serviceaccounts"'),
    ],
  ])('does not answer for %s', async (_, error) => {
    answer = error;
    await expect(dryRun(change('Plan'), plan, signal)).rejects.toBe(error);
  });

  it('has nothing to ask where it may not act as Flux does', async () => {
    expect(await dryRun(change('Plan', 't-own'), plan, signal)).toEqual({ type: 'accepted' });
    expect(asked).toEqual([]);
  });
});
