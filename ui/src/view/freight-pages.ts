import {useCallback, useEffect, useMemo, useRef, useState} from 'react'
import {listFreight} from '../api/calls'
import {isAbort, problemOf} from '../api/client'
import type {Problem} from '../api/problem'
import type {Freight} from '../api/wire'
import {lineOf} from '../model/freight'
import {joined} from '../model/pages'
import {useDesk} from './desk'

export interface FreightLine {
  freight: Freight[]
  problem?: Problem
  loading: boolean
  // more asks for the next page; missing where there is none.
  more?: () => void
}

// recent is how much freight the pipeline's own view holds (proxy/api/reads.go): where
// there is less, there is no more.
const recent = 20

// useFreightLine gives the recent freight of the pipeline's view, which is always news,
// and behind it the pages of older freight that somebody has scrolled to.
export function useFreightLine(wanted = true): FreightLine {
  const {session, pipeline} = useDesk()
  const [pages, setPages] = useState<{items: Freight[]; next?: string; begun: boolean}>({items: [], begun: false})
  const known = useRef<Freight[]>([])
  const [state, setState] = useState<{loading: boolean; problem?: Problem}>({loading: false})
  const control = useRef<AbortController>()
  useEffect(() => () => control.current && control.current.abort(), [])

  const more = useCallback(() => {
    if (control.current) {
      return
    }
    const asking = (control.current = new AbortController())
    setState({loading: true})
    listFreight(session.caller, pipeline.name, pages.next || '', {signal: asking.signal}).then(
      fresh => {
        control.current = undefined
        setState({loading: false})
        setPages({items: fresh!.value.items, next: fresh!.value.next, begun: true})
      },
      error => {
        control.current = undefined
        if (!isAbort(error)) {
          setState({loading: false, problem: problemOf(error)})
        }
      },
    )
  }, [session, pipeline.name, pages])

  const freight = useMemo(() => {
    known.current = joined(pipeline.freight, [...known.current, ...pages.items])
    return lineOf(pipeline, known.current)
  }, [pipeline, pages.items])
  const hasMore = wanted && (pages.begun ? !!pages.next : pipeline.freight.length >= recent)
  return {freight, ...state, more: hasMore ? more : undefined}
}
