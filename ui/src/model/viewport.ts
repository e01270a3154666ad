// Where a drawing stands under a window, and how large.

export interface Viewport {
  x: number
  y: number
  scale: number
}

interface Size {
  width: number
  height: number
}

interface Box extends Size {
  x: number
  y: number
}

const smallest = 0.15
const largest = 2
const margin = 48

// fitted shows all of a drawing, in the middle, and not larger than it is.
export function fitted(drawing: Size, pane: Size): Viewport {
  const scale = Math.max(smallest, Math.min(1, pane.width / drawing.width, pane.height / drawing.height))
  return {scale, x: (pane.width - drawing.width * scale) / 2, y: (pane.height - drawing.height * scale) / 2}
}

// centred brings a box to the middle; where `from` is given and the box is in sight
// there, nothing moves.
export function centred(box: Box, scale: number, pane: Size, from?: Viewport): Viewport {
  if (from) {
    const left = from.x + box.x * scale
    const top = from.y + box.y * scale
    const seen = left >= margin / 2 && top >= margin / 2 && left + box.width * scale <= pane.width - margin / 2 && top + box.height * scale <= pane.height - margin / 2
    if (seen) {
      return from
    }
  }
  return {scale, x: pane.width / 2 - (box.x + box.width / 2) * scale, y: pane.height / 2 - (box.y + box.height / 2) * scale}
}

// zoomed changes the scale around a point of the pane that stays where it is.
export function zoomed(from: Viewport, by: number, point: {x: number; y: number}): Viewport {
  const scale = Math.max(smallest, Math.min(largest, from.scale * by))
  const grows = scale / from.scale
  return {scale, x: point.x - (point.x - from.x) * grows, y: point.y - (point.y - from.y) * grows}
}
