import type { Clock } from '../../../kube/clock.ts';
import { isAborted, renderError } from '../../../kube/errors.ts';
import { createHandshake, type HandshakeVerdict } from '../../../rdp/index.ts';
import type { Connection, Dial } from '../../context.ts';

export type ProbeTarget = { readonly host: string; readonly port: number };

export type ProbeResult =
  | { readonly answered: true; readonly selectedProtocol: string }
  /** `why` is one sentence fit for a condition; it holds nothing that the peer sent. */
  | { readonly answered: false; readonly why: string };

/** One RDP handshake: connect, ask, read the answer, hang up. Never rejects, and is over after `timeoutMs` whatever the peer does. */
export async function probeDesktop(
  deps: { readonly dial: Dial; readonly clock: Clock },
  target: ProbeTarget,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<ProbeResult> {
  const late = new AbortController();
  const timer = deps.clock.setTimeout(() => late.abort(), options.timeoutMs);
  const signal = AbortSignal.any([late.signal, options.signal]);
  let connection: Connection | undefined;
  try {
    connection = await deps.dial(target, signal);
    const opened = connection;
    signal.addEventListener('abort', () => opened.close(), { once: true });
    return describe(await handshake(opened, signal));
  } catch (error) {
    if (late.signal.aborted) return { answered: false, why: `no answer within ${options.timeoutMs} ms` };
    if (isAborted(error)) return { answered: false, why: 'the probe was cancelled' };
    return { answered: false, why: renderError(error) };
  } finally {
    deps.clock.clearTimeout(timer);
    connection?.close();
  }
}

async function handshake(connection: Connection, signal: AbortSignal): Promise<HandshakeVerdict> {
  const exchange = createHandshake();
  connection.write(exchange.request);
  for (;;) {
    const chunk = await connection.read();
    signal.throwIfAborted();
    const verdict = chunk === undefined ? exchange.end() : exchange.push(chunk);
    if (verdict.kind !== 'more') return verdict;
  }
}

function describe(verdict: HandshakeVerdict): ProbeResult {
  if (verdict.kind === 'answered') return { answered: true, selectedProtocol: verdict.selectedProtocol };
  return { answered: false, why: verdict.kind === 'refused' ? verdict.text : 'the answer is not complete' };
}
