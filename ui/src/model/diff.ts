// A unified difference, line by line.

export type LineKind = 'add' | 'delete' | 'same' | 'hunk'

export interface Line {
  kind: LineKind
  text: string
}

export interface Diff {
  lines: Line[]
  added: number
  deleted: number
}

export function parseDiff(unified: string): Diff {
  const lines: Line[] = []
  let added = 0
  let deleted = 0
  let body = false
  for (const raw of unified.replace(/\n$/, '').split('\n')) {
    if (raw.startsWith('@@')) {
      body = true
      lines.push({kind: 'hunk', text: raw})
    } else if (!body && (raw.startsWith('---') || raw.startsWith('+++') || raw === '')) {
      continue // the names of the files: the resource's title has told them
    } else if (raw.startsWith('+')) {
      added++
      lines.push({kind: 'add', text: raw.slice(1)})
    } else if (raw.startsWith('-')) {
      deleted++
      lines.push({kind: 'delete', text: raw.slice(1)})
    } else if (!raw.startsWith('\\')) {
      lines.push({kind: 'same', text: raw.replace(/^ /, '')})
    }
  }
  return {lines, added, deleted}
}
