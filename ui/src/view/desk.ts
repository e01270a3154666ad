import {createContext, useContext} from 'react'
import type {Session} from '../api/session'
import type {Action, Pipeline, Stage} from '../api/wire'
import type {Viewer} from '../model/actions'
import type {Place} from '../model/permalink'
import type {Go} from './hooks'

// Desk is what every part of the tab works with.
export interface Desk {
  session: Session
  pipeline: Pipeline
  // down tells that the last question for it was not answered.
  down: boolean
  own: Stage
  actions: Action[]
  viewer: Viewer
  place: Place
  go: Go
}

const DeskContext = createContext<Desk | undefined>(undefined)

export const DeskProvider = DeskContext.Provider

export function useDesk(): Desk {
  const desk = useContext(DeskContext)
  if (!desk) {
    throw new Error('a part of the tab stands outside of it')
  }
  return desk
}
