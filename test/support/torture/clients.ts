import { setTimeout as sleep } from 'node:timers/promises';
import type { Intent } from '../../../gitops/intent.ts';
import type { ChangeState, Difference } from '../../../gitops/journal.ts';
import type { Random } from '../../../kube/clock.ts';
import { hasEnded } from './judge.ts';
import { namespaceOf } from './objects.ts';
import type { Order } from './replica.ts';
import type { Replicas } from './replicas.ts';

export type Client = {
  /** Resolves when each of its changes has been accepted and was seen to be carried out or refused. */
  run(): Promise<void>;
  /** Ids of what was answered with "accepted". */
  accepted(): readonly string[];
  repeats(): number;
};

export type ClientsInput = {
  readonly random: Random;
  readonly replicas: Replicas;
  readonly names: readonly string[];
  readonly clients: number;
  readonly writes: number;
  readonly objects: number;
};

type Field = 'title' | 'mark';
const PATHS = { title: ['spec', 'title'], mark: ['metadata', 'labels', 'mark'] } as const;

/** Clients share what they know of the objects, as people who look at one screen. */
export function createClients(input: ClientsInput): readonly Client[] {
  const known = new Map<string, string | undefined>();
  return Array.from({ length: input.clients }, (_, index) => {
    const share = Math.floor(input.writes / input.clients) + (index < input.writes % input.clients ? 1 : 0);
    return createClient(input, `client-${index}`, share, known);
  });
}

function createClient(
  input: ClientsInput,
  name: string,
  writes: number,
  known: Map<string, string | undefined>,
): Client {
  const { random, replicas } = input;
  const accepted: string[] = [];
  let repeats = 0;

  /** Until there is an answer; the key makes the repetition the same request. */
  const ask = async (method: 'GET' | 'POST', path: string, body?: Order): Promise<unknown> => {
    for (;;) {
      try {
        const url = `${replicas.pick(random.next())}/${path}`;
        const response = await fetch(url, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
        if (response.ok) return await response.json();
      } catch {
        // It was killed, or is not up yet.
      }
      if (method === 'POST') repeats += 1;
      await sleep(20 + random.next() * 100);
    }
  };
  const write = async (turn: number): Promise<void> => {
    const { object, field } = pick(random, input.objects);
    const cell = `${object} ${field}`;
    const value = `${name}-${turn}`;
    const intent = buildIntent(
      object,
      field,
      known.has(cell) ? known.get(cell) : field === 'title' ? 'begin' : undefined,
      value,
    );
    const repository = input.names[object % input.names.length] ?? '';
    const answer = (await ask('POST', '', { repository, intent, subject: name, key: `${name}/${turn}` })) as {
      readonly id: string;
    };
    accepted.push(answer.id);
    for (let delayMs = 20; ; delayMs = Math.min(500, delayMs * 1.5)) {
      await sleep(delayMs * (0.5 + random.next()));
      const change = (await ask('GET', answer.id)) as {
        readonly state: ChangeState;
        readonly differences?: readonly Difference[];
      } | null;
      if (change === null) throw new Error(`the accepted change ${answer.id} is not in the journal`);
      if (!hasEnded(change.state)) continue;
      if (change.state === 'Committed') known.set(cell, value);
      else {
        const found = change.differences?.[0]?.found;
        known.set(cell, typeof found === 'string' ? found : undefined);
      }
      return;
    }
  };
  return {
    run: async () => {
      for (let turn = 0; turn < writes; turn++) await write(turn);
    },
    accepted: () => accepted,
    repeats: () => repeats,
  };
}

/** Some objects are much asked for. */
function pick(random: Random, objects: number): { readonly object: number; readonly field: Field } {
  const span = random.next() < 0.2 ? Math.min(20, objects) : objects;
  return { object: Math.floor(random.next() * span), field: random.next() < 0.7 ? 'title' : 'mark' };
}

function buildIntent(object: number, field: Field, from: string | undefined, to: string): Intent {
  const target = { kind: 'Plan', namespace: namespaceOf(object), name: `o${object}` };
  return { type: 'Edit', target, edits: [{ path: PATHS[field], ...(from === undefined ? {} : { from }), to }] };
}
