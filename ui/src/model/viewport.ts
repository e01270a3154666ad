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

// legible is the scale below which cards are hard to read.
const legible = 0.85

// begun is how a drawing is shown at first: all of it where that can be read; else at
// its own size, with a box as near to the middle as leaves no room unused.
export function begun(drawing: Size, box: Box | undefined, pane: Size): Viewport {
  const all = fitted(drawing, pane)
  if (all.scale >= legible || !box) {
    return all
  }
  const along = (start: number, length: number, whole: number, room: number) =>
    whole <= room ? (room - whole) / 2 : Math.max(room - whole, Math.min(0, room / 2 - start - length / 2))
  return {scale: 1, x: along(box.x, box.width, drawing.width, pane.width), y: along(box.y, box.height, drawing.height, pane.height)}
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
