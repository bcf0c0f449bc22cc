import {
  buildConnectionRequest,
  type ConnectionConfirm,
  MAX_CONFIRM_BYTES,
  parseConnectionConfirm,
  type SecurityProtocol,
  type ServerFlag,
} from './negotiation.ts';

export type HandshakeOptions = {
  readonly cookie?: string;
  /** Default: TLS and NLA, what a client of today offers. */
  readonly protocols?: readonly SecurityProtocol[];
};

export type HandshakeVerdict =
  | { readonly kind: 'more'; readonly need: number }
  | {
      readonly kind: 'answered';
      readonly selectedProtocol: SecurityProtocol;
      readonly flags: readonly ServerFlag[];
      readonly negotiated: boolean;
    }
  /**
   * `Failure`: an RDP server that will not speak what was requested (`code` of MS-RDPBCGR 2.2.1.2.2).
   * `Invalid`: not an RDP server, or one that breaks the protocol. `Closed`: the connection ended before an answer.
   */
  | {
      readonly kind: 'refused';
      readonly reason: 'Failure' | 'Invalid' | 'Closed';
      readonly text: string;
      readonly code?: number;
    };

/**
 * One handshake, without any I/O: the caller sends `request`, feeds what arrives to `push`, and calls `end` when the
 * peer closes. The first verdict other than `more` is final. Holds at most {@link MAX_CONFIRM_BYTES} bytes
 * whatever is pushed; how long to wait is the caller's decision.
 */
export type Handshake = {
  readonly request: Uint8Array;
  push(chunk: Uint8Array): HandshakeVerdict;
  end(): HandshakeVerdict;
};

/** Throws RangeError on a cookie that {@link buildConnectionRequest} refuses. */
export function createHandshake(options: HandshakeOptions = {}): Handshake {
  const protocols = options.protocols ?? ['TLS', 'NLA'];
  const request = buildConnectionRequest({
    protocols,
    ...(options.cookie === undefined ? {} : { cookie: options.cookie }),
  });
  const received = new Uint8Array(MAX_CONFIRM_BYTES);
  let receivedBytes = 0;
  let verdict: HandshakeVerdict = computeVerdict(parseConnectionConfirm(received.subarray(0, 0)), protocols);
  return {
    request,
    push(chunk) {
      if (verdict.kind !== 'more') return verdict;
      const taken = chunk.subarray(0, received.length - receivedBytes);
      received.set(taken, receivedBytes);
      receivedBytes += taken.length;
      verdict = computeVerdict(parseConnectionConfirm(received.subarray(0, receivedBytes)), protocols);
      return verdict;
    },
    end() {
      if (verdict.kind !== 'more') return verdict;
      const text = `the connection ended after ${receivedBytes} bytes, ${verdict.need} short of an answer`;
      verdict = { kind: 'refused', reason: 'Closed', text };
      return verdict;
    },
  };
}

function computeVerdict(confirm: ConnectionConfirm, requested: readonly SecurityProtocol[]): HandshakeVerdict {
  switch (confirm.kind) {
    case 'incomplete':
      return { kind: 'more', need: confirm.need };
    case 'invalid':
      return { kind: 'refused', reason: 'Invalid', text: confirm.reason };
    case 'failure':
      return { kind: 'refused', reason: 'Failure', text: confirm.text, code: confirm.code };
    case 'confirm': {
      const { selectedProtocol, flags, negotiated } = confirm;
      if (selectedProtocol !== 'RDP' && !requested.includes(selectedProtocol)) {
        return { kind: 'refused', reason: 'Invalid', text: `the server selected ${selectedProtocol}, never requested` };
      }
      return { kind: 'answered', selectedProtocol, flags, negotiated };
    }
  }
}
