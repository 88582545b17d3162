import type { Store as AnyStore } from '../store.ts'
import type { Row } from './types.ts'

export type Store = AnyStore<Row>
