import type { HttpCall, HttpStream } from '../../kube/transport.ts';

/** Whether the server carries the call out before the fault strikes. */
export type When = 'before' | 'after';

/** What goes wrong with one try of a call. */
export type CallFault =
  /** No connection: the call certainly had no effect. */
  | { readonly type: 'unsent' }
  /** The connection breaks; `after`: the call was carried out and its answer is lost. */
  | { readonly type: 'reset'; readonly when: When }
  /** The connection stays open and mute until the caller gives up. */
  | { readonly type: 'stall'; readonly when: When }
  /** The server answers with a failure. */
  | {
      readonly type: 'refuse';
      readonly when: When;
      readonly code: number;
      readonly reason: string;
      readonly message?: string;
      readonly retryAfterSeconds?: number;
    }
  /** The call is carried out, and the answer ends after so many bytes. */
  | { readonly type: 'truncate'; readonly bytes: number }
  /** The call is sent so much later. */
  | { readonly type: 'delay'; readonly ms: number }
  /** A read is answered from the state at an older revision. */
  | { readonly type: 'stale'; readonly revision: number };

/** What goes wrong with a stream from its beginning, or with its lines. */
export type StreamFault =
  | Exclude<CallFault, { readonly type: 'truncate' | 'stale' }>
  | { readonly type: 'lines'; readonly judge: (line: Buffer, index: number) => LineFault | undefined };

/** What happens to one line of a stream. */
export type LineFault =
  | { readonly type: 'drop' }
  /** It comes so much later, and what follows it waits. */
  | { readonly type: 'delay'; readonly ms: number }
  | { readonly type: 'duplicate' }
  /** It comes after the next one. */
  | { readonly type: 'swap' }
  /** It is left out, and the next change of the same object stands for both. */
  | { readonly type: 'merge' }
  /** It arrives in two pieces, cut after so many bytes. */
  | { readonly type: 'split'; readonly bytes: number }
  /** Only so many bytes of it arrive, and the stream ends properly. */
  | { readonly type: 'tear'; readonly bytes: number }
  /** Something else arrives in its place. */
  | { readonly type: 'garbage'; readonly text: string }
  /** It and all that follows is lost while the stream stays open. */
  | { readonly type: 'blackhole' }
  /** It is lost, and the stream ends properly. */
  | { readonly type: 'end' }
  /** It is lost, and the connection breaks. */
  | { readonly type: 'reset' };

/** `tries` counts from 1: a call that is told to come back later is tried again. */
export type Interceptor = {
  readonly call?: (call: HttpCall, tries: number) => CallFault | undefined;
  readonly stream?: (call: HttpStream) => StreamFault | undefined;
};
