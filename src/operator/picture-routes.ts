import { createRoute, z } from '@hono/zod-openapi'
import { IdParam, Product } from '../contracts/http.ts'
import { PictureRequest, Reason } from '../contracts/operator-http.ts'
import { type Catalogue, type NewPicture, readPicture } from '../flow/catalogue/catalogue.ts'
import { Problem } from '../platform/errors.ts'
import { type App, json, problems } from '../platform/http.ts'
import type { Commands } from './commands.ts'
import type { By } from './accounts/sign-in.ts'

const PATH = '/api/operator/products/{id}/picture'
const binary = z.string().openapi({ type: 'string', format: 'binary' })

const putPicture = createRoute({
  method: 'put',
  path: PATH,
  description:
    'The picture itself is the body, at most 1 MB; what it is is read from its bytes. `alt` and `reason` are in the query.',
  request: {
    params: IdParam,
    query: PictureRequest,
    body: {
      required: true,
      content: {
        'image/png': { schema: binary },
        'image/jpeg': { schema: binary },
        'image/webp': { schema: binary },
        'image/avif': { schema: binary },
      },
    },
  },
  responses: {
    200: json(Product, 'The product as it is now'),
    ...problems('bad_request', 'operator_only', 'unknown_item', 'body_too_large', 'unsupported_media_type'),
  },
})
const deletePicture = createRoute({
  method: 'delete',
  path: PATH,
  description: 'The product has no picture of its own any more: one is drawn from its name.',
  request: { params: IdParam, query: z.strictObject({ reason: Reason }) },
  responses: {
    200: json(Product, 'The product as it is now'),
    ...problems('bad_request', 'operator_only', 'unknown_item'),
  },
})

export interface PictureRouteParts {
  readonly commands: Commands
  readonly catalogue: Catalogue
}

/** Addresses that take pictures as they are, and how large they may be. */
export const PICTURE_UPLOADS = {
  path: /^\/api\/operator\/products\/[^/]+\/picture$/,
  type: /^image\/(png|jpeg|webp|avif)$/,
  maxBytes: 1024 * 1024,
} as const

export function pictureRoutes(app: App, { commands, catalogue }: PictureRouteParts, by: By): void {
  const change = async (
    by: Parameters<Commands['setPicture']>[0],
    id: string,
    picture: NewPicture | null,
  ) => {
    const outcome = await commands.setPicture(by, id, picture)
    const product = outcome === 'changed' ? await catalogue.product(id) : undefined
    if (product === undefined) throw new Problem('unknown_item')
    return product
  }
  app.openapi(putPicture, async (c) => {
    const { alt, reason } = c.req.valid('query')
    const picture = readPicture(new Uint8Array(await c.req.arrayBuffer()), alt)
    if ('refused' in picture) throw new Problem('bad_request', picture.refused)
    return c.json(await change(by(c, reason), c.req.valid('param').id, picture), 200)
  })
  app.openapi(deletePicture, async (c) =>
    c.json(await change(by(c, c.req.valid('query').reason), c.req.valid('param').id, null), 200),
  )
}
