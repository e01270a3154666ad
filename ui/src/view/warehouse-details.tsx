import React, {useState} from 'react'
import {ask, gateOf} from '../api/calls'
import {problemOf} from '../api/client'
import type {Problem} from '../api/problem'
import {sentence} from '../api/problem'
import type {Warehouse} from '../api/wire'
import {text} from '../strings'
import {calledIn} from '../model/stage'
import {subscriptionView, type SubscriptionView} from '../model/subscription'
import {goDuration} from '../model/time'
import {useDesk} from './desk'
import {Age, Button, Chip, Countdown, Field, Name, Notice, ProblemNotice, Section} from './parts'
import {Icon} from './icon'

export function WarehouseDetails({warehouse: w}: {warehouse: Warehouse}) {
  const {pipeline, session, actions, viewer, go} = useDesk()
  const [state, setState] = useState<{busy?: boolean; asked?: boolean; problem?: Problem}>({})
  const offered = actions.some(a => a.name === 'refresh')
  const gate = gateOf(actions, 'refresh')
  const look = () => {
    setState({busy: true})
    ask(session.caller, pipeline.name, actions, {action: 'refresh', warehouse: w.name}).then(
      () => {
        setState({asked: true})
        session.feed.refresh()
      },
      error => setState({problem: problemOf(error)}),
    )
  }
  return (
    <div>
      {offered && (
        <div className='waybill-actions'>
          <Button icon='refresh' busy={state.busy} why={viewer.gates[gate] === false ? text.actions.noGate(gate) : ''} onClick={look}>
            {text.warehouse.refresh}
          </Button>
        </div>
      )}
      {state.asked && <Notice tone='good'>{text.warehouse.asked}</Notice>}
      {state.problem && <ProblemNotice problem={state.problem} call='asked' />}
      {w.error && (
        <Notice tone='bad' title={text.warehouse.error}>
          {sentence(w.error)}
        </Notice>
      )}
      {w.reason && (
        <Notice tone='info' title={text.warehouse.reason}>
          {sentence(w.reason)}
        </Notice>
      )}
      <dl className='waybill-fields'>
        {w.manual && <Field name={text.warehouse.manual}>{text.warehouse.manualHint}</Field>}
        <Field name={text.warehouse.candidate}>
          {w.candidate ? (
            <button type='button' className='waybill-link' onClick={() => go({tab: 'freight', freight: w.candidate, warehouse: ''})}>
              <Name of={calledIn(pipeline, undefined, w.candidate)} />
            </button>
          ) : (
            text.warehouse.nothing
          )}
        </Field>
        <Field name={text.warehouse.interval}>{goDuration(w.interval)}</Field>
        {w.lookedAt && (
          <Field name={text.warehouse.looked}>
            <Age at={w.lookedAt} />
            {w.requests ? <span className='waybill-quiet'>, {text.warehouse.requests(w.requests)}</span> : null}
          </Field>
        )}
        {w.nextLookAt && (
          <Field name={text.warehouse.next}>
            <Countdown until={w.nextLookAt} say={text.warehouse.inTime} />
          </Field>
        )}
      </dl>
      <Section title={text.warehouse.subscriptions}>
        <ul className='waybill-artifacts'>
          {w.subscriptions.map((s, i) => (
            <Subscription key={i} of={subscriptionView(s)} />
          ))}
        </ul>
      </Section>
      {w.skipped && w.skipped.length > 0 && <Skipped versions={w.skipped} />}
    </div>
  )
}

function Subscription({of: s}: {of: SubscriptionView | undefined}) {
  return s ? (
    <li className='waybill-image'>
      <Icon name={s.kind} label={text.freight[s.kind]} /> <span>{s.name}</span>
      {s.wants.map(want => (
        <code key={want}>{want}</code>
      ))}
      {s.strategy && <Chip>{s.strategy}</Chip>}
    </li>
  ) : null
}

// few versions are shown at once; the rest is folded away.
const few = 10

function Skipped({versions}: {versions: string[]}) {
  const list = (some: string[]) => (
    <ul className='waybill-plain'>
      {some.map(s => (
        <li key={s}>{sentence(s)}</li>
      ))}
    </ul>
  )
  return (
    <Section title={text.warehouse.skipped} aside={<span className='waybill-quiet'>{versions.length}</span>}>
      {list(versions.slice(0, few))}
      {versions.length > few && (
        <details>
          <summary>{text.more}</summary>
          {list(versions.slice(few))}
        </details>
      )}
    </Section>
  )
}
