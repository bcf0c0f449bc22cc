import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeRoutes, renderOpenApi } from './document.ts';

const COMMITTED = path.join(import.meta.dirname, '..', 'openapi.json');

const text = renderOpenApi();

describe('openapi.json', () => {
  it('is what the routes say; npm run generate writes it', () => {
    expect(readFileSync(COMMITTED, 'utf8') === text, 'run npm run generate').toBe(true);
  });

  it('refers to nothing outside, and holds no expression of CRDs', () => {
    const targets = [...text.matchAll(/"\$ref": "([^"]*)"/g)].map(([, target]) => target ?? '');
    const { components } = JSON.parse(text);
    const known = Object.keys(components.schemas).map((name) => `#/components/schemas/${name}`);
    expect([...new Set(targets)].filter((target) => !known.includes(target))).toEqual([]);
    expect(targets.length).toBeGreaterThan(20);
    expect(text.includes('x-kubernetes')).toBe(false);
  });

  it('has every operation once, with its parameters described', () => {
    const routes = describeRoutes();
    const { paths } = JSON.parse(text);
    const ids = routes.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { url, method, operationId } of routes) {
      const names = [...url.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const known: readonly { readonly in: string; readonly name: string }[] =
        paths[url][method.toLowerCase()].parameters ?? [];
      const described = known.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
      expect(described.sort(), operationId).toEqual(names.sort());
    }
  });
});
