import {useEffect, useMemo, useRef, useState} from 'react'
import {getEligibility} from '../api/calls'
import {soakProbes} from '../model/soak'
import {untilOf} from '../model/verdict'
import {useDesk} from './desk'

// useSoaks asks, once for each load of an upstream stage, until when its freight soaks.
// The server's verdict tells; a failure only means that no countdown is shown.
export function useSoaks(): Record<string, string> {
  const {session, pipeline, own} = useDesk()
  const probes = useMemo(() => soakProbes(pipeline, own.name), [pipeline, own.name])
  const known = useRef(new Map<string, string | undefined>())
  const [, draw] = useState({})
  const keys = probes.map(p => p.key).join('|')
  useEffect(() => {
    const control = new AbortController()
    probes
      .filter(p => !known.current.has(p.key))
      .forEach(p =>
        getEligibility(session.caller, pipeline.name, p.stage, p.freight, false, {signal: control.signal}).then(
          fresh => {
            known.current.set(p.key, untilOf(fresh!.value))
            draw({})
          },
          () => undefined,
        ),
      )
    return () => control.abort()
  }, [keys, session])
  const soaks: Record<string, string> = {}
  probes.forEach(p => {
    const until = known.current.get(p.key)
    if (until && Date.parse(until) > Date.now()) {
      soaks[p.stage] = until
    }
  })
  return soaks
}
