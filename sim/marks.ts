import type { MarkStore } from '../src/flow/waiting-room/waiting-room.ts'

type Line = Parameters<MarkStore['read']>[0]
type Mark = NonNullable<Awaited<ReturnType<MarkStore['read']>>>

/** As `queue_marks` in SQL. */
export function memoryMarks(): MarkStore {
  const marks = new Map<string, Mark>()
  const keyOf = ({ sale, lane }: Line) => `${sale} ${lane}`
  const find = (line: Line): Mark => marks.get(keyOf(line)) ?? { ceiling: 0, serving: 0, lobby: undefined }
  const put = (line: Line, change: Partial<Mark>) => void marks.set(keyOf(line), { ...find(line), ...change })
  return {
    read: async (line) => marks.get(keyOf(line)),
    note: async (line, { serving, lobby }) => {
      const before = find(line)
      put(line, { serving: Math.max(before.serving, serving), lobby: before.lobby ?? lobby })
    },
    raise: async (line, wanted) => {
      put(line, { ceiling: Math.max(find(line).ceiling + 1, wanted) })
      return find(line).ceiling
    },
    lower: async (line, from, to) => {
      if (find(line).ceiling === from && to < from) put(line, { ceiling: to })
    },
  }
}
