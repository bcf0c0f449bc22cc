import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import type { FakeApiServer } from './fakeapiserver.ts';

/** What undici tells about a request, where it tells it. */
type Message = {
  readonly request: { readonly origin: string | URL; readonly path: string };
  readonly response?: { readonly statusCode: number };
  readonly socket?: Socket;
};

export type Wire = {
  /** Whether each request of this process to the server has its answer, or is one that the server withholds an answer from. A watch has it when it is accepted. */
  readonly isQuiet: () => boolean;
  readonly stop: () => void;
};

/** Follows this process's requests to a server. */
export function observeWire(server: FakeApiServer): Wire {
  /** With the local port of its connection, once it has one. */
  const open = new Map<object, number | undefined>();
  const channels: Record<string, (message: Message) => void> = {
    create: ({ request }) => {
      if (String(request.origin).startsWith(server.url)) open.set(request, undefined);
    },
    sendHeaders: ({ request, socket }) => {
      if (open.has(request)) open.set(request, socket?.localPort);
    },
    headers: ({ request, response }) => {
      if (response?.statusCode === 200 && request.path.includes('watch=')) open.delete(request);
    },
    trailers: ({ request }) => {
      open.delete(request);
    },
    error: ({ request }) => {
      open.delete(request);
    },
  };
  const listeners = Object.entries(channels).map(([name, listener]) => {
    const told = (message: unknown): void => listener(message as Message);
    const channel = name === 'sendHeaders' ? 'undici:client:sendHeaders' : `undici:request:${name}`;
    subscribe(channel, told);
    return () => unsubscribe(channel, told);
  });
  return {
    isQuiet: () => [...open.values()].every((port) => port !== undefined && server.withholds(port)),
    stop: () => {
      for (const stop of listeners) stop();
    },
  };
}
