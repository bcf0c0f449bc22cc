import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestApi, type TestApi } from '../testing/testapi.ts';
import { escapeHtml, renderText } from './page.ts';

type Operation = { readonly operationId: string; readonly summary: string; readonly tags?: readonly string[] };
type Document = { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };

describe('the reader at /docs', () => {
  let api: TestApi;
  let html = '';
  let policy = '';
  beforeAll(async () => {
    api = await createTestApi();
    const answer = await api.call({ url: '/docs' });
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    html = answer.body;
    policy = String(answer.headers['content-security-policy']);
  });
  afterAll(() => api.close());

  it('has a title, a heading and a link to the description that is served', async () => {
    expect(html).toContain('<title>Sublet API</title>');
    expect(html).toContain('<h1>Sublet API</h1>');
    const link = /<a href="([^"#]+)">openapi\.json<\/a>/.exec(html)?.[1];
    expect((await api.call({ url: link ?? '' })).json()).toMatchObject({ openapi: expect.stringMatching(/^3\.1\./) });
  });

  it('has each operation of the description, by its id, with its method, address and summary', async () => {
    const text = await readFile(path.join(import.meta.dirname, '../openapi.json'), 'utf8');
    const { paths } = JSON.parse(text) as Document;
    const shown = new Map(
      html
        .split('<details id="')
        .slice(1)
        .map((part) => [part.slice(0, part.indexOf('"')), part] as const),
    );
    const all = Object.entries(paths).flatMap(([url, item]) =>
      Object.entries(item)
        // Those of the description itself are what one reads here.
        .filter(([, { tags }]) => tags !== undefined && !tags.includes('description'))
        .map(([method, { operationId, summary }]) => ({ method, url, operationId, summary })),
    );
    expect(all.length).toBeGreaterThan(40);
    for (const { method, url, operationId, summary } of all) {
      const part = shown.get(operationId) ?? '';
      expect(part, operationId).toContain(`>${method.toUpperCase()}</span> <code>${escapeHtml(url)}</code>`);
      expect(part, operationId).toContain(renderText(summary));
      expect(part, operationId).toContain(`<a href="#${operationId}"><code>${operationId}</code></a>`);
    }
  });

  it('shows code as code, and no text between backticks', () => {
    expect(html).toContain('such as <code>acme--bob</code>');
    expect(html).not.toContain('`');
  });

  it('runs nothing and loads nothing: its policy names its one style, and allows nothing else', () => {
    const styles = [...html.matchAll(/<style>([\s\S]*?)<\/style>/g)].map(([, style = '']) => style);
    expect(styles).toHaveLength(1);
    const hash = createHash('sha256')
      .update(styles[0] ?? '')
      .digest('base64');
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      `style-src 'sha256-${hash}'`,
      "form-action 'self'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ]);
    expect(html).not.toMatch(
      /<script|<img|<link|<iframe|<object|\son\w+=|\sstyle=|javascript:|(?:src|href)="(?:\w+:)?\/\//i,
    );
  });
});

describe('a text of the description', () => {
  it('stays text, whatever is in it', () => {
    expect(renderText('such as `<b>` & "`"')).toBe('such as <code>&lt;b&gt;</code> &amp; &quot;`&quot;');
  });
});
