import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { explainHost, isPublicAddress } from '../../model/address.ts';

export type DestinationPolicy = {
  /** Hosts inside that may be asked, `<host>` or `<host>:<port>`; all others have to be on the internet. */
  readonly allowedHosts: readonly string[];
  /** `http` is for development: what is sent can be read on its way. */
  readonly protocols: readonly ('https' | 'http')[];
};

/** `isTrusted`: the provider allows the host, wherever it leads. */
export type Destination = { readonly url: URL; readonly isTrusted: boolean };

export type ParsedDestination =
  | { readonly type: 'destination'; readonly destination: Destination }
  /** What is wrong, as a predicate of the URL, and what to do. */
  | { readonly type: 'refused'; readonly message: string };

const MAX_URL = 2_048;
const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'https:': '443', 'http:': '80' };

/**
 * Where messages may go, as far as the text tells. One spelling only: a URL that this parser reads as something else than is written might be another
 * host to other eyes.
 */
export function parseDestination(text: string, { allowedHosts, protocols }: DestinationPolicy): ParsedDestination {
  const refused = (message: string): ParsedDestination => ({ type: 'refused', message });
  if (text.length > MAX_URL) return refused(`has ${text.length} characters, of at most ${MAX_URL}`);
  const wanted = protocols.map((protocol) => `${protocol}://`).join(' or ');
  if (!/^[!-~]*$/.test(text)) return refused('holds white space or characters that no URL has; write them escaped');
  if (!/^https?:\/\/[^/]/.test(text) || !URL.canParse(text)) return refused(`is no ${wanted} URL`);
  const url = new URL(text);
  if (!protocols.some((protocol) => url.protocol === `${protocol}:`)) return refused(`has to begin with ${wanted}`);
  if (url.username !== '' || url.password !== '' || authorityOf(text).includes('@')) {
    return refused('holds credentials; leave them out, the signature says who sends');
  }
  if (text.includes('#')) return refused('has a fragment, which is never sent; leave it out');
  if (url.port === '0') return refused('names port 0, which nothing listens on');
  const isAllowed = isAllowedHost(url, allowedHosts);
  // What is written and not only what it means: in another spelling (0x7f.1) it may be another host to others.
  const why = isAllowed ? undefined : (explainHost(writtenHost(text)) ?? explainHost(url.hostname));
  if (why !== undefined) {
    return refused(
      `names ${url.hostname}, which ${why}; use a host on the internet, or ask the provider to list ${url.host} in webhooks.allowedHosts`,
    );
  }
  if (url.href !== text && url.href !== `${text}/`) return refused(`has to be written as ${url.href}`);
  return { type: 'destination', destination: { url, isTrusted: isAllowed } };
}

/** The host does not resolve, or leads where nothing may be sent. */
export class DestinationError extends Error {
  override readonly name = 'DestinationError';
}

/** Gives the addresses of a name; rejects when there are none. */
export type LookUp = (host: string) => Promise<readonly string[]>;

/**
 * The addresses that may be connected to, of this moment. All of them have to be public: a name that leads inside as well is an attack or a mistake. Throws
 * {@link DestinationError}, which names no address: what names mean inside is not the tenant's to know.
 */
export async function resolveDestination(
  { url, isTrusted }: Destination,
  lookUps: { readonly outside: LookUp; readonly inside: LookUp } = { outside: lookUpOutside, inside: lookUpInside },
): Promise<readonly string[]> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const lookUp = isTrusted ? lookUps.inside : lookUps.outside;
  const addresses = isIP(host) === 0 ? await lookUp(host).catch(() => []) : [host];
  if (addresses.length === 0) throw new DestinationError('the name of the host does not resolve');
  if (isTrusted || addresses.every(isPublicAddress)) return addresses;
  throw new DestinationError('the name of the host leads to an address that is not on the internet');
}

const DNS_TIMEOUT_MS = 3_000;
const DNS_TRIES = 2;

/**
 * By name servers alone: no hosts file, no search domains of the cluster. And not by `getaddrinfo`, whose few threads are the whole process's: a name
 * server that keeps silent would hold up everything else.
 */
export async function lookUpOutside(host: string): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: DNS_TRIES });
  const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
}

async function lookUpInside(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

function isAllowedHost(url: URL, allowed: readonly string[]): boolean {
  const port = url.port === '' ? DEFAULT_PORTS[url.protocol] : url.port;
  return allowed.includes(`${url.hostname}:${port}`) || (url.port === '' && allowed.includes(url.hostname));
}

function authorityOf(text: string): string {
  return text.slice(text.indexOf('//') + 2).split(/[/?#\\]/, 1)[0] ?? '';
}

function writtenHost(text: string): string {
  const authority = authorityOf(text);
  return authority.startsWith('[') ? authority.replace(/\]:\d*$/, ']') : authority.replace(/:\d*$/, '');
}
