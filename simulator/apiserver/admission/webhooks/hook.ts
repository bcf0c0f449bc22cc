import type { Clock, Random } from '../../../../kube/clock.ts';
import type { AdmissionHook, AdmissionRequest } from '../../kinds.ts';
import type { ApiObject } from '../../object.ts';
import { renderQuoted } from '../../schema/gotext.ts';
import { type ApiError, badRequest, internalError, notFound } from '../../status.ts';
import { createWebhookCaller, type WebhookCaller } from './call.ts';
import { matchesWebhook } from './match.ts';
import { buildDenial, buildReview, parseReview } from './review.ts';
import { parseWebhooks, type Webhook } from './webhook.ts';

export type WebhookDeps = {
  readonly clock: Clock;
  readonly random: Random;
  /** Every ValidatingWebhookConfiguration that is stored. */
  readonly configurations: () => Iterable<ApiObject>;
  readonly namespace: (name: string) => ApiObject | undefined;
};

/**
 * Asks every webhook that a request matches, all at once, and refuses it when one says no or cannot be asked and its policy is `Fail`.
 * Decides at once, without a promise, where no webhook matches.
 */
export function createWebhookAdmission(deps: WebhookDeps): { readonly admit: AdmissionHook; close(): Promise<void> } {
  const caller = createWebhookCaller(deps);
  return {
    admit: (request) => {
      const webhooks = findWebhooks(deps, request);
      return webhooks.length === 0 ? undefined : askAll({ ...deps, caller }, webhooks, request);
    },
    close: () => caller.close(),
  };
}

/** In the order of the configurations' names. Throws `ApiError` when a namespace must be judged that is not there. */
function findWebhooks(deps: WebhookDeps, request: AdmissionRequest): readonly Webhook[] {
  const configurations = [...deps.configurations()];
  if (configurations.length === 0) return [];
  const isNamespace = request.kind.group === '' && request.kind.plural === 'namespaces';
  const name = isNamespace ? request.name : request.namespace;
  const namespace = name === '' ? undefined : deps.namespace(name);
  return configurations.sort(byName).flatMap((configuration) =>
    parseWebhooks(configuration).filter((webhook) => {
      const matches = matchesWebhook(webhook, request, namespace);
      if (matches === 'no-namespace') throw notFound({ group: '', resource: 'namespaces' }, name);
      return matches;
    }),
  );
}

function byName(a: ApiObject, b: ApiObject): number {
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1;
}

type Parts = WebhookDeps & { readonly caller: WebhookCaller };

async function askAll(parts: Parts, webhooks: readonly Webhook[], request: AdmissionRequest): Promise<void> {
  const answers = await Promise.all(webhooks.map((webhook) => ask(parts, webhook, request)));
  const refusal = answers.find((answer) => answer !== undefined);
  if (refusal !== undefined) throw refusal;
}

/** The refusal, if there is one. */
async function ask(parts: Parts, webhook: Webhook, request: AdmissionRequest): Promise<ApiError | undefined> {
  if (request.dryRun && webhook.sideEffects !== 'None' && webhook.sideEffects !== 'NoneOnDryRun') {
    return badRequest(`admission webhook ${renderQuoted(webhook.name)} does not support dry run`);
  }
  try {
    const verdict = await question(parts, webhook, request);
    for (const warning of verdict.warnings) request.warn(warning);
    return verdict.allowed ? undefined : buildDenial(webhook.name, verdict);
  } catch (error) {
    if (webhook.failurePolicy === 'Ignore') return undefined;
    const why = error instanceof Error ? error.message : String(error);
    return internalError(`failed calling webhook ${renderQuoted(webhook.name)}: ${why}`);
  }
}

async function question({ caller, random }: Parts, webhook: Webhook, request: AdmissionRequest) {
  const uid = renderUuid(random.bytes(16));
  let answer: unknown;
  try {
    answer = await caller.call(webhook, buildReview(request, uid));
  } catch (error) {
    throw new Error(`failed to call webhook: ${error instanceof Error ? error.message : String(error)}`);
  }
  try {
    return parseReview(answer, uid);
  } catch (error) {
    throw new Error(`received invalid webhook response: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A random UUID of version 4. */
function renderUuid(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  const variant = ((Number.parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `${variant}${hex.slice(18, 20)}`];
  return [...parts, hex.slice(20)].join('-');
}
