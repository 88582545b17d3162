/** PayPal's error bodies. */

export class PaypalFailure extends Error {
  readonly status: number
  override readonly name: string
  readonly issue: string | undefined
  readonly field: string | undefined

  constructor(status: number, name: string, message: string, issue?: string, field?: string) {
    super(message)
    this.status = status
    this.name = name
    this.issue = issue
    this.field = field
  }

  body(debug_id: string) {
    const { name, message, issue, field } = this
    const details =
      issue === undefined
        ? []
        : [{ ...(field === undefined ? {} : { field, location: 'body' }), issue, description: message }]
    return { name, message: ENVELOPES[name] ?? message, debug_id, details, links: [] }
  }
}

const ENVELOPES: Partial<Record<string, string>> = {
  UNPROCESSABLE_ENTITY:
    'The requested action could not be performed, semantically incorrect, or failed business validation.',
  INVALID_REQUEST: 'Request is not well-formed, syntactically incorrect, or violates schema.',
  RESOURCE_NOT_FOUND: 'The specified resource does not exist.',
}

export const refused = (issue: string, description: string) =>
  new PaypalFailure(422, 'UNPROCESSABLE_ENTITY', description, issue)

export const malformed = (field: string, issue: string, description: string) =>
  new PaypalFailure(400, 'INVALID_REQUEST', description, issue, field)

export const notFound = () =>
  new PaypalFailure(
    404,
    'RESOURCE_NOT_FOUND',
    'Specified resource ID does not exist. Please check the resource ID and try again.',
    'INVALID_RESOURCE_ID',
  )

export const broken = () =>
  new PaypalFailure(500, 'INTERNAL_SERVER_ERROR', 'An internal server error has occurred.')
