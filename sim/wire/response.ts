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
  const [statusLine = '', ...lines] = data.slice(0, headEnd).split('\r\n')
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1])
  if (!(status >= 200)) throw new Error(`not an HTTP answer: ${statusLine.slice(0, 80)}`)
  const headers = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
  }
  const start = headEnd + 4
  const body =
    headers.get('transfer-encoding') === 'chunked'
      ? readChunks(data, start)
      : readSized(data, start, status === 204 || status === 304 ? 0 : Number(headers.get('content-length')))
  if (body === undefined) return undefined
  return {
    status,
    headers,
    text: Buffer.from(body.text, 'latin1').toString('utf8'),
    keepAlive: headers.get('connection')?.toLowerCase() !== 'close',
    length: body.end,
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
