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
// margin is what stays free around what is revealed.
const margin = 24

// fitted shows all of a drawing, in the middle, and not larger than it is.
export function fitted(drawing: Size, pane: Size): Viewport {
  const scale = Math.max(smallest, Math.min(1, pane.width / drawing.width, pane.height / drawing.height))
  return {scale, x: (pane.width - drawing.width * scale) / 2, y: (pane.height - drawing.height * scale) / 2}
}

// centred brings a box to the middle.
export function centred(box: Box, scale: number, pane: Size): Viewport {
  return {scale, x: pane.width / 2 - (box.x + box.width / 2) * scale, y: pane.height / 2 - (box.y + box.height / 2) * scale}
}

// revealed moves no further than it takes to have a box in sight.
export function revealed(box: Box, from: Viewport, pane: Size): Viewport {
  const along = (at: number, start: number, length: number, room: number) => {
    const low = margin - start * from.scale
    const high = room - margin - (start + length) * from.scale
    return high < low ? low : Math.max(low, Math.min(high, at))
  }
  return {scale: from.scale, x: along(from.x, box.x, box.width, pane.width), y: along(from.y, box.y, box.height, pane.height)}
}

// zoomed changes the scale around a point of the pane that stays where it is.
export function zoomed(from: Viewport, by: number, point: {x: number; y: number}): Viewport {
  const scale = Math.max(smallest, Math.min(largest, from.scale * by))
  const grows = scale / from.scale
  return {scale, x: point.x - (point.x - from.x) * grows, y: point.y - (point.y - from.y) * grows}
}
