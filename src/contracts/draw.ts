import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'

/**
 * The draw: a keyed permutation of the lobby, so that shuffling ten million people costs nothing and stores nothing. The
 * same code runs on the server, in the visitor's browser and in `verify-draw`; docs/draw.md describes it for other
 * languages. All hashes are SHA-256, all byte strings lower-case hex.
 */
export interface DrawInputs {
  /** 32 random bytes; only its hash is known before the sale opens. */
  readonly secret: string
  /** People in the lobby when the sale opened. */
  readonly lobby_size: number
  /** Rolling hash over every ticket issued in the lobby, in order. */
  readonly tickets_hash: string
}

/** What is published before the lobby opens, so that the secret can not be chosen afterwards. */
export function commitmentTo(secret: string): string {
  return bytesToHex(sha256(concatBytes(utf8ToBytes('doorbuster draw commitment\n'), hexToBytes(secret))))
}

/** The key of the permutation: nobody knows it before the last ticket of the lobby is issued. */
export function drawSeed({ secret, lobby_size, tickets_hash }: DrawInputs): string {
  const label = utf8ToBytes(`doorbuster draw seed\n${lobby_size}\n${tickets_hash}\n`)
  return bytesToHex(sha256(concatBytes(label, hexToBytes(secret))))
}

const ROUNDS = 10

/**
 * Position, 1..lobby_size, of the lobby index, 1..lobby_size. A Feistel network (Black and Rogaway, 2002) over the
 * smallest near-square rectangle that holds the lobby; results in its margin walk on until they fall inside. Throws
 * RangeError for an index outside the lobby.
 */
export function drawnPosition(seed: string, lobbySize: number, index: number): number {
  return walk(seed, lobbySize, index, FORWARD)
}

/** The other way round: the lobby index that has the position. Throws RangeError as well. */
export function indexAt(seed: string, lobbySize: number, position: number): number {
  return walk(seed, lobbySize, position, BACKWARD)
}

const FORWARD = Array.from({ length: ROUNDS }, (_, round) => ({ round, sign: 1 }))
const BACKWARD = FORWARD.map(({ round }) => ({ round, sign: -1 })).reverse()

function walk(seed: string, lobbySize: number, from: number, rounds: typeof FORWARD): number {
  if (!Number.isSafeInteger(from) || from < 1 || from > lobbySize || lobbySize > 2 ** 32)
    throw new RangeError(`${from} is not in a lobby of ${lobbySize}`)
  const width = Math.ceil(Math.sqrt(lobbySize))
  const height = Math.ceil(lobbySize / width)
  const key = hexToBytes(seed)
  let value = from - 1
  do value = permute(key, width, height, value, rounds)
  while (value >= lobbySize)
  return value + 1
}

function permute(key: Uint8Array, width: number, height: number, value: number, rounds: typeof FORWARD) {
  let [column, row] = [value % width, Math.floor(value / width)]
  const input = new Uint8Array(key.length + 5)
  input.set(key)
  const view = new DataView(input.buffer)
  for (const { round, sign } of rounds) {
    const even = round % 2 === 0
    view.setUint8(key.length, round)
    view.setUint32(key.length + 1, even ? row : column)
    const hash = sha256(input)
    const shift = new DataView(hash.buffer, hash.byteOffset).getUint32(0)
    if (even) column = modulo(column + sign * shift, width)
    else row = modulo(row + sign * shift, height)
  }
  return row * width + column
}

const modulo = (value: number, by: number) => ((value % by) + by) % by
