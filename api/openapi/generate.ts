import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { renderOpenApi } from './document.ts';

/** `npm run generate` writes the description that is committed; a test fails when it is stale. */
writeFileSync(path.join(import.meta.dirname, '..', 'openapi.json'), renderOpenApi());
