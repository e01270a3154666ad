import {useEffect} from 'react'
import {getEligibility} from '../api/calls'
import type {Stage, Verdict} from '../api/wire'
import {factsOf} from '../model/facts'
import {untilOf} from '../model/verdict'
import {useDesk} from './desk'
import {useLoad, type Loaded} from './hooks'

// The longest time that a browser's timer can wait.
const longest = 2 ** 31 - 1

// useVerdict asks for the server's verdict on freight for a stage: again when what it
// rests on has changed, and when a gate passes by itself. No freight asks nothing.
export function useVerdict(stage: Stage, freight: string, rollback = false): Loaded<Verdict> {
  const {session, pipeline} = useDesk()
  const subject = freight && `${stage.name} ${freight} ${rollback}`
  const loaded = useLoad(subject && subject + factsOf(pipeline, stage), r => getEligibility(session.caller, pipeline.name, stage.name, freight, rollback, r), subject)
  const until = loaded.value && untilOf(loaded.value)
  const {again} = loaded
  useEffect(() => {
    const left = until ? Date.parse(until) - Date.now() : -1
    if (left < 0 || left > longest) {
      return undefined
    }
    // A page in the background asks nothing: it asks once it is seen again.
    const seen = () => {
      if (!document.hidden) {
        document.removeEventListener('visibilitychange', seen)
        again()
      }
    }
    const timer = setTimeout(() => {
      document.addEventListener('visibilitychange', seen)
      seen()
    }, left + 500)
    return () => {
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', seen)
    }
  }, [until, again])
  return loaded
}
