import type { FastifyInstance, FastifyRequest } from 'fastify';
import { JsonError, parseJson } from '../json.ts';
import { Problem } from '../problem.ts';
import type { BodyKind } from '../route.ts';

/** Longest body, in bytes: some times the largest resource that anybody writes by hand. */
export const BODY_LIMIT_BYTES = 256 * 1_024;

const MEDIA: Readonly<Record<BodyKind, string>> = {
  json: 'application/json',
  'merge-patch': 'application/merge-patch+json',
  form: 'application/x-www-form-urlencoded',
};

/** Reads bodies: strict JSON in UTF-8, and the one form of the password page. Compressed ones are refused before a byte is unpacked. */
export function addBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addHook('preParsing', (request, _reply, payload, done) => {
    const encoding = request.headers['content-encoding'];
    if (encoding === undefined || encoding.toLowerCase() === 'identity') return done(null, payload);
    const detail = `bodies are taken as they are, not in ${JSON.stringify(encoding.slice(0, 32))}`;
    done(new Problem(415, 'unsupported-media-type', detail, { headers: { 'accept-encoding': 'identity' } }));
  });
  app.addContentTypeParser(
    [MEDIA.json, MEDIA['merge-patch']],
    { parseAs: 'buffer', bodyLimit: BODY_LIMIT_BYTES },
    async (request: FastifyRequest, body: Buffer) => {
      const kind = request.routeOptions.config?.bodyKind ?? 'json';
      const media = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
      if (media !== MEDIA[kind as BodyKind]) throw wrongMedia(MEDIA[kind as BodyKind]);
      return parse(body);
    },
  );
  app.addContentTypeParser(MEDIA.form, { parseAs: 'string', bodyLimit: 1_024 }, async (request: FastifyRequest) => {
    if (request.routeOptions.config?.bodyKind !== 'form') throw wrongMedia(MEDIA.json);
    return {};
  });
}

function wrongMedia(wanted: string): Problem {
  return new Problem(415, 'unsupported-media-type', `send ${wanted} here`);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function parse(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  try {
    return parseJson(utf8.decode(body));
  } catch (error) {
    const detail = error instanceof JsonError ? error.message : 'is not UTF-8';
    throw new Problem(400, 'bad-request', `the body ${detail}`, { errors: [{ pointer: '', detail }] });
  }
}
