import type { KubeObject } from '../../kube/object.ts';
import { JSON_TYPE } from '../../kube/requests.ts';
import { parseStatusError } from '../../kube/status.ts';
import type { ApiServer } from '../../simulator/apiserver/server.ts';

const PERSON = { username: 'kubernetes-admin', groups: ['system:masters'] };

/** What the server answers to a person, at once. Throws `StatusError` when it refuses. */
export function askAtOnce(server: ApiServer, method: string, path: string, body?: KubeObject): KubeObject {
  const headers = { accept: JSON_TYPE, 'content-type': JSON_TYPE, 'user-agent': 'kubectl' };
  const text = body === undefined ? undefined : JSON.stringify(body);
  const answer = server.handle({ method, path, headers, body: text, user: PERSON });
  if (answer instanceof Promise) throw new Error(`${method} ${path}: a webhook is asked, and none is installed`);
  if (answer.status < 300) return JSON.parse(answer.body);
  throw parseStatusError(`${method} ${path}`, answer.status, Buffer.from(answer.body), undefined);
}
