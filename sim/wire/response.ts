/** An HTTP/1.1 response read from the bytes of a socket, given as a latin1 string. */
export interface RawResponse {
  readonly status: number
  /** Lower-case names; of a repeated header the last one. */
  readonly headers: ReadonlyMap<string, string>
  readonly text: string
  /** Whether the server goes on with this connection. */
  readonly keepAlive: boolean
  /** Characters of `data` the response took. */
  readonly length: number
}

/** The first response in `data`, or undefined while it is not all there. Throws where it is no HTTP. */
export function readResponse(data: string): RawResponse | undefined {
  const headEnd = data.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const head = data.slice(0, headEnd)
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1])
  if (!(status >= 200)) throw new Error(`not an HTTP answer: ${head.slice(0, 80)}`)
  const isEmpty = status === 204 || status === 304
  const start = headEnd + 4
  const body = CHUNKED.test(head)
    ? readChunks(data, start)
    : readSized(data, start, isEmpty ? 0 : Number(LENGTH.exec(head)?.[1] ?? Number.NaN))
  if (body === undefined) return undefined
  return new Response(status, head, body)
}

// What says where an answer ends; the rest of the head is read only where somebody asks for it.
const CHUNKED = /\r\ntransfer-encoding:[ \t]*chunked[ \t]*(\r\n|$)/i
const LENGTH = /\r\ncontent-length:[ \t]*(\d+)[ \t]*(\r\n|$)/i
const CLOSE = /\r\nconnection:[ \t]*close[ \t]*(\r\n|$)/i
const NOT_ASCII = /[\u0080-\u00ff]/

class Response implements RawResponse {
  readonly status: number
  readonly text: string
  readonly keepAlive: boolean
  readonly length: number
  readonly #head: string
  constructor(status: number, head: string, { text, end }: Body) {
    this.status = status
    this.#head = head
    this.text = NOT_ASCII.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text
    this.keepAlive = !CLOSE.test(head)
    this.length = end
  }
  get headers(): ReadonlyMap<string, string> {
    const headers = new Map<string, string>()
    for (const line of this.#head.split('\r\n').slice(1)) {
      const colon = line.indexOf(':')
      headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
    }
    return headers
  }
}

interface Body {
  readonly text: string
  readonly end: number
}

function readSized(data: string, start: number, size: number): Body | undefined {
  if (!Number.isInteger(size)) throw new Error('an answer without a length')
  const end = start + size
  return data.length < end ? undefined : { text: data.slice(start, end), end }
}

function readChunks(data: string, start: number): Body | undefined {
  let text = ''
  for (let at = start; ;) {
    const lineEnd = data.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = parseInt(data.slice(at, lineEnd), 16)
    if (Number.isNaN(size)) throw new Error('a chunk without a size')
    const end = lineEnd + 2 + size
    if (data.length < end + 2) return undefined
    if (size === 0) return { text, end: end + 2 }
    text += data.slice(lineEnd + 2, end)
    at = end + 2
  }
}
