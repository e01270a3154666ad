import React, {useEffect, useRef, useState, type ReactNode} from 'react'
import {windowOf, type Window} from '../model/window'

export interface Column {
  title: string
  // width as in a CSS grid.
  width: string
}

// Rows is a table of which only the rows in sight are drawn.
export function Rows<T>(p: {
  label: string
  columns: Column[]
  rows: T[]
  rowHeight: number
  keyOf: (row: T) => string
  cells: (row: T) => ReactNode[]
  selected?: string
  onPick: (row: T) => void
  onEnd?: () => void
  children?: ReactNode
}) {
  const box = useRef<HTMLDivElement>(null)
  const count = p.rows.length
  const [shownRows, setShownRows] = useState<Window>({from: 0, to: 40})
  // Scrolling draws anew only when other rows come into sight.
  const measure = () => {
    const e = box.current
    if (!e) {
      return // the browser still tells of a size after the table has gone
    }
    const next = windowOf(count, p.rowHeight, e.scrollTop, e.clientHeight)
    setShownRows(w => (w.from === next.from && w.to === next.to ? w : next))
  }
  const latest = useRef(measure)
  latest.current = measure
  useEffect(() => latest.current(), [count, p.rowHeight])
  useEffect(() => {
    if (typeof ResizeObserver === 'undefined') {
      return undefined
    }
    const observer = new ResizeObserver(() => latest.current())
    observer.observe(box.current!)
    return () => observer.disconnect()
  }, [])

  // What is selected by a link is scrolled to once.
  const shown = useRef('')
  useEffect(() => {
    if (p.selected && shown.current !== p.selected) {
      const i = p.rows.findIndex(r => p.keyOf(r) === p.selected)
      const e = box.current!
      if (i >= 0) {
        shown.current = p.selected
        if (i * p.rowHeight < e.scrollTop || (i + 1) * p.rowHeight > e.scrollTop + e.clientHeight) {
          e.scrollTop = Math.max(0, (i - 1) * p.rowHeight)
        }
      }
    }
  })

  const from = Math.min(shownRows.from, count)
  const to = Math.min(shownRows.to, count)
  const atEnd = to >= count
  const {onEnd} = p
  useEffect(() => {
    if (atEnd && onEnd) {
      onEnd()
    }
  }, [atEnd, onEnd, count])

  const grid = {gridTemplateColumns: p.columns.map(c => c.width).join(' ')}
  return (
    <div className='waybill-table' role='table' aria-label={p.label} aria-rowcount={p.rows.length + 1} aria-colcount={p.columns.length}>
      <div role='rowgroup'>
        <div className='waybill-row waybill-row-head' role='row' aria-rowindex={1} style={grid}>
          {p.columns.map((c, i) => (
            <span role='columnheader' key={i}>
              {c.title}
            </span>
          ))}
        </div>
      </div>
      <div
        className='waybill-rows'
        ref={box}
        role={p.rows.length > 0 ? 'rowgroup' : 'presentation'}
        tabIndex={p.rows.length > 0 ? -1 : undefined}
        onScroll={measure}
        onKeyDown={e => moveFocus(e, box.current!)}>
        <div role='presentation' style={{height: p.rows.length * p.rowHeight, position: 'relative'}}>
          {p.rows.slice(from, to).map((row, i) => {
            const key = p.keyOf(row)
            const picked = key === p.selected
            return (
              <div
                key={key}
                role='row'
                aria-rowindex={from + i + 2}
                aria-selected={picked}
                className={`waybill-row${picked ? ' waybill-row-selected' : ''}`}
                style={{...grid, height: p.rowHeight, top: (from + i) * p.rowHeight}}
                onClick={e => !(e.target as HTMLElement).closest('a, button') && p.onPick(row)}>
                {p.cells(row).map((cell, c) => (
                  <span role='cell' key={c}>
                    {c === 0 ? (
                      <button type='button' className='waybill-row-button' onClick={() => p.onPick(row)}>
                        {cell}
                      </button>
                    ) : (
                      cell
                    )}
                  </span>
                ))}
              </div>
            )
          })}
        </div>
        {p.children}
      </div>
    </div>
  )
}

// moveFocus makes the arrow keys go from row to row.
function moveFocus(e: React.KeyboardEvent, box: HTMLElement) {
  const step = {ArrowDown: 1, ArrowUp: -1}[e.key]
  if (!step) {
    return
  }
  const all = Array.from(box.querySelectorAll<HTMLElement>('.waybill-row-button'))
  const next = all[all.indexOf(document.activeElement as HTMLElement) + step]
  if (next) {
    e.preventDefault()
    next.focus()
    next.closest('[role=row]')!.scrollIntoView({block: 'nearest'})
  }
}
