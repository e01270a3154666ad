import React, {memo, useEffect, useLayoutEffect, useMemo, useRef} from 'react'
import type {Warehouse} from '../api/wire'
import {text} from '../strings'
import {neighbour, nodeID, type Direction, type Drawing, type Node} from '../model/graph'
import {begun, fitted, revealed, zoomed, type Viewport} from '../model/viewport'
import {candidateAlias, cardOf, isDim, type Card} from '../model/stage'
import {touchedBy} from '../model/freight'
import {matches} from '../model/search'
import {useDesk} from './desk'
import {useDrawing} from './drawing'
import {Icon, type IconName} from './icon'
import {Loading} from './parts'
import {StageCard, WarehouseCard} from './cards'
import {useSoaks} from './soaks'

const arrows: Record<string, Direction> = {ArrowLeft: 'left', ArrowRight: 'right', ArrowUp: 'up', ArrowDown: 'down'}

// PipelineGraph draws the pipeline.
export function PipelineGraph({query, freight}: {query: string; freight?: string}) {
  const {pipeline} = useDesk()
  const drawing = useDrawing(pipeline)
  return drawing ? <Drawn drawing={drawing} query={query} freight={freight} /> : <Loading />
}

// Drawn pans and zooms by moving one element, and draws nothing anew.
function Drawn({drawing, query, freight}: {drawing: Drawing; query: string; freight?: string}) {
  const {pipeline, own, place, go} = useDesk()
  const soaks = useSoaks()
  const cards = useMemo(() => pipeline.stages.map(s => cardOf(s, s.name === own.name, pipeline, soaks[s.name])), [pipeline, own.name, JSON.stringify(soaks)])
  const touched = useMemo(() => (freight ? touchedBy(pipeline, freight) : undefined), [pipeline, freight])
  const byName = useMemo(() => new Map(cards.map(c => [c.name, c])), [cards])
  const selected = place.stage ? nodeID('stage', place.stage) : place.warehouse ? nodeID('warehouse', place.warehouse) : ''
  const view = useViewport(drawing, selected || nodeID('stage', own.name))

  // What is selected, or found first, is brought into sight.
  const found = query.trim() === '' ? undefined : cards.find(c => matches(c.words, query))
  useEffect(() => view.show(selected), [selected])
  useEffect(() => (found ? view.show(nodeID('stage', found.name)) : undefined), [query])

  const onKeyDown = (e: React.KeyboardEvent) => {
    const to = arrows[e.key]
    const id = (document.activeElement as HTMLElement).dataset.node
    const next = to && id && neighbour(drawing, id, to)
    if (next) {
      e.preventDefault()
      view.focus(next)
    }
  }
  return (
    <div className='waybill-graph' role='region' aria-label={text.graph.label(pipeline.name)}>
      <Toolbar view={view} onOwn={() => view.show(nodeID('stage', own.name))} />
      <div className='waybill-canvas' ref={view.canvas} onKeyDown={onKeyDown}>
        <div className='waybill-plane' ref={view.plane} style={{width: drawing.width, height: drawing.height}}>
          <Lines drawing={drawing} />
          {drawing.nodes.map(n => (
            <Place key={n.id} node={n} onFocus={view.show}>
              {n.kind === 'stage' ? (
                <StageNode
                  card={byName.get(n.name)!}
                  selected={place.stage === n.name}
                  dim={isDim(query, touched, byName.get(n.name)!)}
                  onPick={go}
                />
              ) : (
                <WarehouseNode
                  warehouse={pipeline.warehouses.find(w => w.name === n.name)!}
                  alias={candidateAlias(pipeline, n.name)}
                  selected={place.warehouse === n.name}
                  dim={query.trim() !== '' && !matches(n.name, query)}
                  onPick={go}
                />
              )}
            </Place>
          ))}
        </div>
      </div>
    </div>
  )
}

function Place({node, children, onFocus}: {node: Node; children: React.ReactNode; onFocus: (id: string) => void}) {
  return (
    <div className='waybill-node' style={{left: node.x, top: node.y, width: node.width, height: node.height}} data-place={node.id} onFocus={e => isVisibleFocus(e.target as HTMLElement) && onFocus(node.id)}>
      {children}
    </div>
  )
}

// isVisibleFocus tells a focus of the keyboard's from a click's, which must not move
// what is clicked.
function isVisibleFocus(e: HTMLElement): boolean {
  try {
    return e.matches(':focus-visible')
  } catch {
    return false
  }
}

interface Picks {
  onPick: ReturnType<typeof useDesk>['go']
  selected: boolean
  dim: boolean
}

const StageNode = memo(
  function StageNode({card, selected, dim, onPick}: Picks & {card: Card}) {
    return <StageCard card={card} selected={selected} dim={dim} onClick={() => onPick({stage: card.name, warehouse: '', freight: '', promotion: ''})} />
  },
  (a, b) => a.selected === b.selected && a.dim === b.dim && JSON.stringify(a.card) === JSON.stringify(b.card),
)

const WarehouseNode = memo(function WarehouseNode({warehouse, alias, selected, dim, onPick}: Picks & {warehouse: Warehouse; alias: string}) {
  return <WarehouseCard warehouse={warehouse} alias={alias} selected={selected} dim={dim} onClick={() => onPick({warehouse: warehouse.name, stage: '', freight: '', promotion: ''})} />
})

const Lines = memo(function Lines({drawing}: {drawing: Drawing}) {
  return (
    <svg className='waybill-lines-layer' width={drawing.width} height={drawing.height} aria-hidden>
      {drawing.lines.map(l => (
        <g key={l.id}>
          <path d={l.path} />
          <path className='waybill-arrow' d={arrowAt(l.path)} />
        </g>
      ))}
    </svg>
  )
})

// arrowAt draws the point at the end of a path, which always comes from the left.
function arrowAt(path: string): string {
  const start = /^M([\d.-]+) ([\d.-]+)/.exec(path)!
  const across = path.match(/H([\d.-]+)/g)!
  const down = path.match(/V([\d.-]+)/g)
  const x = Number(across[across.length - 1].slice(1))
  const y = down ? Number(down[down.length - 1].slice(1)) : Number(start[2])
  return `M${x} ${y - 4}l7 4l-7 4z`
}

function Toolbar({view, onOwn}: {view: ReturnType<typeof useViewport>; onOwn: () => void}) {
  const tool = (name: IconName, label: string, onClick: () => void) => (
    <button type='button' className='waybill-tool' aria-label={label} title={label} onClick={onClick}>
      <Icon name={name} />
    </button>
  )
  return (
    <div className='waybill-toolbar' role='toolbar' aria-label={text.graph.tools}>
      {tool('target', text.graph.own, onOwn)}
      {tool('fit', text.graph.fit, view.fit)}
      {tool('plus', text.graph.zoomIn, () => view.zoom(1.25))}
      {tool('minus', text.graph.zoomOut, () => view.zoom(0.8))}
      <output ref={view.percent} className='waybill-percent' />
    </div>
  )
}

// useViewport moves the plane under the canvas by its style alone. What is at home stays
// in sight when the canvas gets another size, as beside the side panel, at its zoom.
function useViewport(drawing: Drawing, home: string) {
  const canvas = useRef<HTMLDivElement>(null)
  const plane = useRef<HTMLDivElement>(null)
  const percent = useRef<HTMLOutputElement>(null)
  const at = useRef<Viewport>({x: 0, y: 0, scale: 1})
  const touched = useRef(false)

  const move = (to: Viewport) => {
    at.current = to
    plane.current!.style.transform = `translate(${to.x}px, ${to.y}px) scale(${to.scale})`
    percent.current!.textContent = Math.round(to.scale * 100) + '%'
  }
  const size = () => ({width: canvas.current!.clientWidth, height: canvas.current!.clientHeight})
  const nodeOf = (id: string) => drawing.nodes.find(n => n.id === id)
  const show = (id: string) => {
    const n = nodeOf(id)
    if (n) {
      // The browser has scrolled the canvas to what has the focus: the plane moves instead.
      canvas.current!.scrollLeft = canvas.current!.scrollTop = 0
      move(revealed(n, at.current, size()))
    }
  }
  const fit = () => move(fitted(drawing, size()))

  const room = useRef({width: 0, height: 0})
  const begin = () => {
    room.current = size()
    move(begun(drawing, nodeOf(home), room.current))
  }
  useLayoutEffect(begin, [drawing])

  const resized = useRef(begin)
  resized.current = () => {
    const {width, height} = size()
    if (width === room.current.width && height === room.current.height) {
      return // an observer tells of the size that it begins with, too
    }
    room.current = {width, height}
    if (touched.current) {
      show(home)
    } else {
      begin()
    }
  }
  useEffect(() => {
    if (typeof ResizeObserver === 'undefined') {
      return undefined
    }
    const observer = new ResizeObserver(() => canvas.current && resized.current())
    observer.observe(canvas.current!)
    return () => observer.disconnect()
  }, [])

  useEffect(() => {
    const e = canvas.current!
    const drag = (down: PointerEvent) => {
      if (down.button !== 0 || (down.target as HTMLElement).closest('button')) {
        return
      }
      const start = {...at.current}
      touched.current = true
      e.setPointerCapture(down.pointerId)
      const onMove = (m: PointerEvent) => move({...at.current, x: start.x + m.clientX - down.clientX, y: start.y + m.clientY - down.clientY})
      const onUp = () => {
        e.removeEventListener('pointermove', onMove)
        e.removeEventListener('pointerup', onUp)
        e.removeEventListener('pointercancel', onUp)
      }
      e.addEventListener('pointermove', onMove)
      e.addEventListener('pointerup', onUp)
      e.addEventListener('pointercancel', onUp)
    }
    const wheel = (w: WheelEvent) => {
      w.preventDefault()
      touched.current = true
      const box = e.getBoundingClientRect()
      if (w.ctrlKey || w.metaKey) {
        move(zoomed(at.current, Math.exp(-w.deltaY / 300), {x: w.clientX - box.left, y: w.clientY - box.top}))
      } else {
        move({...at.current, x: at.current.x - (w.shiftKey ? w.deltaY : w.deltaX), y: at.current.y - (w.shiftKey ? 0 : w.deltaY)})
      }
    }
    e.addEventListener('pointerdown', drag)
    e.addEventListener('wheel', wheel, {passive: false})
    return () => {
      e.removeEventListener('pointerdown', drag)
      e.removeEventListener('wheel', wheel)
    }
  }, [])

  return {
    canvas,
    plane,
    percent,
    fit,
    show,
    zoom: (by: number) => {
      touched.current = true
      const {width, height} = size()
      move(zoomed(at.current, by, {x: width / 2, y: height / 2}))
    },
    focus: (id: string) => {
      const e = plane.current!.querySelector<HTMLElement>(`[data-node="${id}"]`)
      if (e) {
        e.focus({preventScroll: true})
        show(id)
      }
    },
  }
}
