import {Graph, layout} from '@dagrejs/dagre'
import type {Edge, Pipeline} from '../api/wire'

export type NodeKind = 'warehouse' | 'stage'

// Node stands with its top left corner at x, y.
export interface Node {
  id: string
  kind: NodeKind
  name: string
  x: number
  y: number
  width: number
  height: number
}

export interface Line {
  id: string
  from: string
  to: string
  origin: string
  path: string
}

export interface Drawing {
  nodes: Node[]
  lines: Line[]
  width: number
  height: number
}

export const sizes: Record<NodeKind, {width: number; height: number}> = {
  warehouse: {width: 184, height: 60},
  stage: {width: 232, height: 92},
}

export const nodeID = (kind: NodeKind, name: string): string => `${kind}/${name}`
const fromID = (e: Edge) => nodeID(e.kind === 'Warehouse' ? 'warehouse' : 'stage', e.from)

// structureOf names what a drawing depends on, so that news of a stage draws nothing
// anew.
export function structureOf(p: Pipeline): string {
  return JSON.stringify([p.warehouses.map(w => w.name), p.stages.map(s => s.name), p.edges.map(e => [e.kind, e.from, e.to, e.origin])])
}

// draw lays the pipeline out from left to right. Ranks by a tight tree take half the time
// of the network simplex, for edges that are hardly longer.
export function draw(p: Pick<Pipeline, 'warehouses' | 'stages' | 'edges'>): Drawing {
  const g = new Graph({multigraph: true})
  g.setGraph({rankdir: 'LR', nodesep: 24, ranksep: 54, edgesep: 14, marginx: 24, marginy: 24, ranker: 'tight-tree'})
  g.setDefaultEdgeLabel(() => ({}))
  p.warehouses.forEach(w => g.setNode(nodeID('warehouse', w.name), {...sizes.warehouse}))
  p.stages.forEach(s => g.setNode(nodeID('stage', s.name), {...sizes.stage}))
  const edges = p.edges.filter(e => g.hasNode(fromID(e)) && g.hasNode(nodeID('stage', e.to)))
  edges.forEach(e => g.setEdge(fromID(e), nodeID('stage', e.to), {}, e.origin))
  layout(g)

  const nodes: Node[] = [
    ...p.warehouses.map(w => ({kind: 'warehouse' as const, name: w.name})),
    ...p.stages.map(s => ({kind: 'stage' as const, name: s.name})),
  ].map(({kind, name}) => {
    const at = g.node(nodeID(kind, name)) as {x: number; y: number}
    const {width, height} = sizes[kind]
    return {id: nodeID(kind, name), kind, name, x: Math.round(at.x - width / 2), y: Math.round(at.y - height / 2), width, height}
  })
  const byID = new Map(nodes.map(n => [n.id, n]))
  const lines = edges.map(e => {
    const from = fromID(e)
    const to = nodeID('stage', e.to)
    const bends = ((g.edge(from, to, e.origin) as {points?: Array<{x: number; y: number}>}).points || []).slice(1, -1)
    return {id: `${from}>${to}:${e.origin}`, from, to, origin: e.origin, path: path(byID.get(from)!, byID.get(to)!, bends)}
  })
  return {
    nodes,
    lines,
    width: Math.max(0, ...nodes.map(n => n.x + n.width)) + 24,
    height: Math.max(0, ...nodes.map(n => n.y + n.height)) + 24,
  }
}

// path goes in right angles, as Argo CD's own tree does.
function path(from: Node, to: Node, bends: Array<{x: number; y: number}>): string {
  const start = {x: from.x + from.width, y: from.y + from.height / 2}
  const end = {x: to.x - 7, y: to.y + to.height / 2}
  // An edge between neighbouring ranks has one bend, half-way, which says nothing.
  const points = [start, ...(bends.length > 1 ? bends : []), end].map(p => ({x: Math.round(p.x), y: Math.round(p.y)}))
  let d = `M${points[0].x} ${points[0].y}`
  for (let i = 1; i < points.length; i++) {
    const [a, b] = [points[i - 1], points[i]]
    d += a.y === b.y ? `H${b.x}` : `H${Math.round((a.x + b.x) / 2)}V${b.y}H${b.x}`
  }
  return d
}

// Direction is where an arrow key leads.
export type Direction = 'left' | 'right' | 'up' | 'down'

// neighbour returns the node that a key leads to: along an edge to the side, and to
// the next in the same column up and down.
export function neighbour(d: Drawing, id: string, to: Direction): string | undefined {
  const here = d.nodes.find(n => n.id === id)
  if (!here) {
    return undefined
  }
  if (to === 'left' || to === 'right') {
    const next = d.lines.filter(l => (to === 'right' ? l.from : l.to) === id).map(l => (to === 'right' ? l.to : l.from))
    return nearest(d.nodes.filter(n => next.includes(n.id)), here)
  }
  const column = d.nodes.filter(n => n.id !== id && Math.abs(n.x - here.x) < here.width && (to === 'down' ? n.y > here.y : n.y < here.y))
  return nearest(column, here)
}

function nearest(nodes: Node[], here: Node): string | undefined {
  const off = (n: Node) => Math.abs(n.y + n.height / 2 - here.y - here.height / 2)
  const best = nodes.sort((a, b) => off(a) - off(b))[0]
  return best && best.id
}
