import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Ajv, type ErrorObject } from 'ajv';
import addFormats from 'ajv-formats';

export type ValidationError = { readonly path: string; readonly message: string };

export type UpstreamValidators = {
  validateVirtualMachine(object: unknown): readonly ValidationError[];
  validateVirtualMachineInstance(object: unknown): readonly ValidationError[];
  /** CDI's DataVolume is in KubeVirt's description only as a template: metadata and spec are judged, a status is unknown. */
  validateDataVolume(object: unknown): readonly ValidationError[];
};

/**
 * For tests: validators against the API description that KubeVirt publishes (`kubevirt-openapi-v2.json` in `folder`, by
 * convention the value of SUBLET_UPSTREAM_SCHEMAS). Stricter than an API server's pruning: a field that the description
 * does not know is an error, at any depth. No errors means an empty list. Rejects when the file is missing or not what it should be.
 */
export async function loadUpstreamValidators(folder: string): Promise<UpstreamValidators> {
  const definitions = parseDefinitions(JSON.parse(await readFile(path.join(folder, FILE), 'utf8')));
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema({ $id: FILE, definitions: closeSchemas(definitions) });
  const validator = (definition: string, apiVersion: string, kind: string) => {
    const judge = ajv.compile({
      allOf: [{ $ref: `${FILE}#/definitions/${definition}` }],
      required: ['apiVersion', 'kind', 'metadata'],
      properties: {
        apiVersion: { const: apiVersion },
        kind: { const: kind },
        metadata: { required: ['name'] },
      },
    });
    return (object: unknown) => (judge(object) ? [] : (judge.errors ?? []).map(describeError));
  };
  return {
    validateVirtualMachine: validator('v1.VirtualMachine', 'kubevirt.io/v1', 'VirtualMachine'),
    validateVirtualMachineInstance: validator('v1.VirtualMachineInstance', 'kubevirt.io/v1', 'VirtualMachineInstance'),
    validateDataVolume: validator('v1.DataVolumeTemplateSpec', 'cdi.kubevirt.io/v1beta1', 'DataVolume'),
  };
}

const FILE = 'kubevirt-openapi-v2.json';

/** The one type whose keys are free: managedFields' record of who owns what. */
const OPEN_DEFINITIONS: readonly string[] = ['k8s.io.apimachinery.pkg.apis.meta.v1.FieldsV1'];

type JsonObject = { readonly [key: string]: unknown };

function parseDefinitions(document: unknown): JsonObject {
  if (isJsonObject(document) && isJsonObject(document.definitions)) return document.definitions;
  throw new TypeError(`${FILE}: no definitions; a Swagger 2 description was expected`);
}

function closeSchemas(definitions: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(definitions).map(([name, schema]) => [
      name,
      OPEN_DEFINITIONS.includes(name) ? schema : closeSchema(schema),
    ]),
  );
}

/** An object schema without `additionalProperties` admits no others than it names. */
function closeSchema(schema: unknown): unknown {
  if (!isJsonObject(schema)) return schema;
  const { properties, items, additionalProperties, ...rest } = schema;
  const closed = {
    ...rest,
    ...(items === undefined ? {} : { items: closeSchema(items) }),
    ...(isJsonObject(properties)
      ? { properties: Object.fromEntries(Object.entries(properties).map(([k, s]) => [k, closeSchema(s)])) }
      : {}),
  };
  if (additionalProperties !== undefined) return { ...closed, additionalProperties: closeSchema(additionalProperties) };
  return schema.type === 'object' ? { ...closed, additionalProperties: false } : closed;
}

function describeError(error: ErrorObject): ValidationError {
  const field = error.instancePath.slice(1).replaceAll('/', '.');
  if (error.keyword === 'additionalProperties') {
    return { path: field, message: `unknown field "${String(error.params.additionalProperty)}"` };
  }
  return { path: field, message: error.message ?? error.keyword };
}

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
