import {useEffect, useState} from 'react'
import type {Pipeline} from '../api/wire'
import {draw, structureOf, type Drawing} from '../model/graph'

// Up to so many stages are laid out before the first paint, which takes a few
// milliseconds; more are after it.
const few = 40

let latest: {structure: string; drawing: Drawing} | undefined

function drawn(pipeline: Pipeline, structure: string): Drawing {
  if (!latest || latest.structure !== structure) {
    latest = {structure, drawing: draw(pipeline)}
  }
  return latest.drawing
}

// useDrawing lays a pipeline out, once for each structure of it.
export function useDrawing(pipeline: Pipeline): Drawing | undefined {
  const structure = structureOf(pipeline)
  const ready = (latest && latest.structure === structure) || pipeline.stages.length <= few
  const [, again] = useState({})
  useEffect(() => {
    if (ready) {
      return undefined
    }
    const timer = setTimeout(() => {
      drawn(pipeline, structure)
      again({})
    }, 0)
    return () => clearTimeout(timer)
  }, [structure, ready])
  return ready ? drawn(pipeline, structure) : undefined
}
