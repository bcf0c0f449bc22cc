import type { paths } from './types.gen.ts';

/** Types that read the generated description: which paths take a method, what such a call wants, and what it gives. */
export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

export type PathsWith<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, object> ? P : never;
}[keyof paths];

export type Operation<P extends keyof paths, M extends Method> = paths[P] extends Record<M, infer O> ? O : never;

type Part<O, Name extends string> = O extends { readonly parameters: infer All }
  ? All extends { readonly [N in Name]?: infer Found }
    ? Exclude<Found, undefined>
    : never
  : never;

type OptionalKeys<T> = { [K in keyof T]-?: object extends Pick<T, K> ? K : never }[keyof T];
/** A member that has to be there only when something in it has to be. */
type Member<Name extends string, T> = [T] extends [never]
  ? { readonly [N in Name]?: never }
  : keyof T extends OptionalKeys<T>
    ? { readonly [N in Name]?: T }
    : { readonly [N in Name]: T };

type Content<T> = T extends { readonly content: infer C } ? C[keyof C] : undefined;

type Body<O> = O extends { readonly requestBody: infer B }
  ? { readonly body: Content<B> }
  : O extends { readonly requestBody?: infer B }
    ? { readonly body?: Content<Exclude<B, undefined>> }
    : { readonly body?: never };

/** What a call has to be given: parameters of the path and the query, a body. */
export type Input<O> = Member<'path', Part<O, 'path'>> & Member<'query', Part<O, 'query'>> & Body<O>;

type Success = 200 | 201 | 202 | 203 | 204;

/** What the call gives when it succeeds. */
export type Output<O> = O extends { readonly responses: infer R } ? Content<R[keyof R & Success]> : never;
