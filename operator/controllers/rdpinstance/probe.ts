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
  // Not `AbortSignal.any`: Node keeps such a signal, and all that listens to it, until it is aborted.
  const end = new AbortController();
  const cancel = (): void => end.abort(options.signal.reason);
  options.signal.addEventListener('abort', cancel, { once: true });
  if (options.signal.aborted) cancel();
  let late = false;
  const timer = deps.clock.setTimeout(() => {
    late = true;
    end.abort();
  }, options.timeoutMs);
  let connection: Connection | undefined;
  try {
    connection = await deps.dial(target, end.signal);
    const opened = connection;
    end.signal.addEventListener('abort', () => opened.close(), { once: true });
    return describe(await handshake(opened, end.signal));
  } catch (error) {
    if (late) return { answered: false, why: `no answer within ${options.timeoutMs} ms` };
    if (isAborted(error)) return { answered: false, why: 'the probe was cancelled' };
    return { answered: false, why: renderError(error) };
  } finally {
    deps.clock.clearTimeout(timer);
    options.signal.removeEventListener('abort', cancel);
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
