import {useRef, useState} from 'react'
import {ask, type Ask} from '../api/calls'
import {problemOf, type Caller} from '../api/client'
import {Problem} from '../api/problem'
import type {Promotion, Stage} from '../api/wire'
import {callerFor} from '../model/actions'
import {text} from '../strings'
import {useDesk} from './desk'

export interface Asking {
  busy: boolean
  problem?: Problem
  done?: Promotion
  send: (stage: Stage | undefined, a: Ask) => void
}

// useAsk sends what a person asks for, on behalf of an Application of the stage that
// is changed. Nothing is shown as done before the server has said so.
export function useAsk(): Asking {
  const {session, pipeline, actions} = useDesk()
  const [state, setState] = useState<{busy: boolean; problem?: Problem; done?: Promotion}>({busy: false})
  const busy = useRef(false)
  const send = (stage: Stage | undefined, a: Ask) => {
    const caller: Caller | undefined = stage ? callerFor(stage, session.caller) : session.caller
    if (!caller) {
      setState({busy: false, problem: new Problem('refused', text.actions.noApplication, text.actions.noApplication)})
      return
    }
    if (busy.current) {
      return
    }
    busy.current = true
    setState({busy: true})
    ask(caller, pipeline.name, actions, a)
      .then(
        done => setState({busy: false, done}),
        error => setState({busy: false, problem: problemOf(error)}),
      )
      .then(() => {
        busy.current = false
        session.feed.refresh()
      })
  }
  return {...state, send}
}
