import React, {useState, type ReactNode} from 'react'
import type {Stage} from '../api/wire'
import {text} from '../strings'
import {callerOf, stageOf, type HostApplication} from '../model/binding'
import {statusOf, type Status} from '../model/status'
import {sessionOf} from '../api/session'
import {DeskProvider} from './desk'
import {Decide} from './decide'
import {goTo, useSession} from './hooks'
import {Disc, Icon} from './icon'
import {Age, Button, Chip, Countdown, ProblemNotice, Skeleton} from './parts'
import {PromoteForm} from './promote'
import {StageDetails} from './stage-details'
import {useDeskOf} from './tab'

// openView shows the tab, as a click on its icon does. Argo CD's router listens to the
// browser's going back and forth, and takes this for it.
function openView(): void {
  const params = new URLSearchParams(window.location.search)
  params.set('view', text.view)
  params.delete('extension')
  const {state} = window.history
  window.history.pushState(state, '', window.location.pathname + '?' + params.toString())
  window.dispatchEvent(new PopStateEvent('popstate', {state}))
}

// StatusPanel is Waybill's item in the Application's status panel.
export function StatusPanel({application, openFlyout}: {application: HostApplication; openFlyout?: () => void}) {
  return stageOf(application) ? <BoundPanel application={application} openFlyout={openFlyout} /> : null
}

function BoundPanel({application, openFlyout}: {application: HostApplication; openFlyout?: () => void}) {
  const session = sessionOf(callerOf(application), stageOf(application))
  const {state, viewer} = useSession(session, 'status')
  return (
    <div className='waybill waybill-status application-status-panel__item'>
      <div className='waybill-status-head'>
        <label className='application-status-panel__item-label'>{text.status.title}</label>
        {openFlyout && (
          <button type='button' className='waybill-more' aria-label={text.status.details} title={text.status.details} onClick={openFlyout}>
            •••
          </button>
        )}
      </div>
      {state.value ? <StatusBody status={statusOf(state.value, viewer)} /> : !state.problem && <Skeleton rows={2} />}
      {state.problem && (
        <div className='waybill-status-problem' title={state.problem.detail}>
          <Icon name='warning' tone='warn' /> {state.problem.title}
        </div>
      )}
    </div>
  )
}

function StatusBody({status: s}: {status: Status}) {
  const icons = {good: 'check', busy: 'ring', wait: 'clock', bad: 'cross', none: 'dot'} as const
  return (
    <>
      <div className='application-status-panel__item-value waybill-status-value'>
        {s.tone === 'busy' ? <Icon name='ring' tone='busy' /> : <Disc name={icons[s.tone]} tone={s.tone === 'wait' ? 'muted' : s.tone === 'none' ? 'muted' : s.tone} />}
        <span className='waybill-alias' title={s.alias}>
          {s.alias}
        </span>
      </div>
      {s.summary && (
        <div className='waybill-status-line waybill-alias' title={s.summary}>
          {s.summary}
        </div>
      )}
      <div className='waybill-status-line'>
        {text.status.stage(s.stage)}
        {s.since && (
          <>
            , {s.verified ? text.status.verified : text.status.notVerified}, <Age at={s.since} />
          </>
        )}
      </div>
      <div className='waybill-status-line'>
        {s.line}
        {s.card.held && <Chip tone='warn' icon='hand'>{text.stage.held}</Chip>}
        {s.card.until && <Countdown until={s.card.until} />}
      </div>
      {s.badge && <div className='waybill-badge'>{s.badge}</div>}
    </>
  )
}

// StatusFlyout is the tab in small.
export function StatusFlyout({application}: {application: HostApplication}) {
  return stageOf(application) ? (
    <Small application={application} title={stage => text.status.stage(stage.name)}>
      {stage => <StageDetails stage={stage} small />}
    </Small>
  ) : null
}

// TopBarAction is what stands in the top bar's button: the host draws the button.
export const TopBarAction = () => <span>{text.actions.promote}</span>

// PromoteFlyout opens from the top bar.
export function PromoteFlyout({application}: {application: HostApplication}) {
  return stageOf(application) ? (
    <Small application={application} title={stage => text.promote.title(stage.name)}>
      {stage => <Promoting stage={stage} />}
    </Small>
  ) : null
}

function Promoting({stage}: {stage: Stage}) {
  const [pick, setPick] = useState('')
  const [turn, setTurn] = useState(0)
  return <PromoteForm key={turn} stage={stage} pick={pick} rollback={false} onPick={setPick} onClose={() => setTurn(turn + 1)} />
}

// Small is a flyout with a desk of its own. Decisions open in it; what only the whole
// tab shows is shown there.
function Small({application, title, children}: {application: HostApplication; title: (stage: Stage) => string; children: (stage: Stage) => ReactNode}) {
  const {session, state, desk} = useDeskOf(application)
  const [doing, setDoing] = useState<{what: 'approve' | 'reject' | 'abort'; id: string}>()
  if (!desk) {
    return <div className='waybill waybill-flyout'>{state.problem ? <ProblemNotice problem={state.problem} call='polled' onAgain={() => session.feed.refresh()} /> : <Skeleton rows={8} />}</div>
  }
  const go: typeof goTo = (change, how) => {
    if ((change.doing === 'approve' || change.doing === 'reject' || change.doing === 'abort') && change.target) {
      setDoing({what: change.doing, id: change.target})
      return
    }
    goTo(change, how)
    openView()
  }
  return (
    <div className='waybill waybill-flyout'>
      <DeskProvider value={{...desk, go}}>
        <div className='waybill-flyout-head'>
          <h2>{title(desk.own)}</h2>
          <Button icon='graph' onClick={openView}>
            {text.status.open}
          </Button>
        </div>
        {state.problem && <ProblemNotice problem={state.problem} call='polled' />}
        {children(desk.own)}
        {doing && <Decide key={doing.what + doing.id} id={doing.id} what={doing.what} onClose={() => setDoing(undefined)} />}
      </DeskProvider>
    </div>
  )
}
