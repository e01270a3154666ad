import React, {useEffect, useMemo, useState} from 'react'
import {sessionOf} from '../api/session'
import {text} from '../strings'
import {onStage} from '../model/actions'
import {callerOf, stageOf, type HostApplication} from '../model/binding'
import type {Doing, Tab as TabName} from '../model/permalink'
import {actionsOf, ownStage} from '../model/status'
import {Boundary} from './boundary'
import {Decide} from './decide'
import {DeskProvider, useDesk, type Desk} from './desk'
import {Dialog} from './dialog'
import {FreightStrip, FreightTable} from './freight-line'
import {useFreightLine} from './freight-pages'
import {PipelineGraph} from './graph'
import {History} from './history'
import {goTo, useWidth, usePlace, useSession} from './hooks'
import {Button, Empty, Notice, ProblemNotice, Search, Skeleton} from './parts'
import {PromoteForm} from './promote'
import {Side} from './side'
import {StageList} from './stage-list'

// useDeskOf makes the desk of an Application, once its pipeline is known.
export function useDeskOf(app: HostApplication) {
  const stage = stageOf(app)
  const {namespace, name} = app.metadata
  const {project} = callerOf(app)
  const session = useMemo(() => sessionOf({namespace, name, project}, stage), [namespace, name, project, stage])
  const {state, viewer} = useSession(session, 'whole')
  const place = usePlace()
  const {value, problem} = state
  const down = problem !== undefined && problem.unanswered
  const desk = useMemo<Desk | undefined>(
    () => value && value.pipeline && {session, pipeline: value.pipeline, down, own: ownStage(value), actions: actionsOf(value), viewer, place, go: goTo},
    [session, value, down, viewer, place],
  )
  return {session, state, desk, viewer}
}

// PromotionTab is the application view.
export function PromotionTab({application}: {application: HostApplication}) {
  if (!stageOf(application)) {
    return <NoStage />
  }
  return <BoundTab application={application} />
}

function NoStage() {
  return (
    <div className='waybill waybill-tab'>
      <Empty title={text.unbound.title} hint={text.unbound.hint} />
    </div>
  )
}

// widths are what a graph, and a table beside the side panel, need.
const widths = [800, 1240]

function BoundTab({application}: {application: HostApplication}) {
  const {session, state, desk} = useDeskOf(application)
  const [ref, step] = useWidth(widths)
  return (
    <div className='waybill waybill-tab' ref={ref}>
      {state.problem && (
        <ProblemNotice problem={state.problem} call='polled' onAgain={() => session.feed.refresh()} />
      )}
      {desk ? (
        <DeskProvider value={desk}>
          <Desktop narrow={step === 0} wide={step === 2} />
        </DeskProvider>
      ) : (
        !state.problem && (
          <div className='waybill-panel'>
            <Skeleton rows={7} />
          </div>
        )
      )}
    </div>
  )
}

function Desktop({narrow, wide}: {narrow: boolean; wide: boolean}) {
  const {place, pipeline} = useDesk()
  const line = useFreightLine(place.tab === 'freight')
  const [query, setQuery] = useQuery()
  const list = narrow || place.form === 'list'
  const selected = !!(place.stage || place.warehouse || place.freight || place.promotion)
  return (
    <>
      <Bar narrow={narrow} query={query} onQuery={setQuery} />
      {(pipeline.problems || []).length > 0 && (
        <Notice tone='warn' title={text.problem.document}>
          <ul>
            {pipeline.problems!.map(p => (
              <li key={p.path + p.message}>
                {p.path && <code>{p.path}</code>} {p.message}
              </li>
            ))}
          </ul>
        </Notice>
      )}
      <div className={`waybill-main${selected ? ' waybill-main-split' : ''}`}>
        <div className='waybill-content' role='tabpanel' id='waybill-panel' tabIndex={-1} aria-labelledby={`waybill-tab-${place.tab}`} hidden={narrow && selected}>
          <Boundary key={place.tab}>
            {place.tab === 'pipeline' && <FreightStrip query={query} />}
            {place.tab === 'pipeline' && (list ? <StageList query={query} narrow={narrow || (selected && !wide)} /> : <PipelineGraph query={query} freight={place.freight} />)}
            {place.tab === 'freight' && <FreightTable line={line} query={query} narrow={narrow || (selected && !wide)} />}
            {place.tab === 'history' && <History query={query} narrow={narrow || (selected && !wide)} />}
          </Boundary>
        </div>
        <Boundary key={[place.stage, place.warehouse, place.freight, place.promotion].join()}>
          <Side freight={line.freight} />
        </Boundary>
      </div>
      <Dialogs />
    </>
  )
}

// useQuery keeps what is typed at hand and writes it to the URL a little later.
function useQuery(): [string, (q: string) => void] {
  const {place, go} = useDesk()
  const [query, setQuery] = useState(place.query || '')
  // The browser's way back brings another query, too.
  useEffect(() => setQuery(place.query || ''), [place.tab, place.query])
  useEffect(() => {
    if (query === (place.query || '')) {
      return undefined
    }
    const timer = setTimeout(() => go({query}, 'replace'), 300)
    return () => clearTimeout(timer)
  }, [query])
  return [query, setQuery]
}

const searches: Record<TabName, string> = {pipeline: text.graph.search, freight: text.freight.search, history: text.promotion.search}

function Bar({narrow, query, onQuery}: {narrow: boolean; query: string; onQuery: (q: string) => void}) {
  const {place, go, own, actions, viewer, pipeline} = useDesk()
  const promote = onStage(actions, viewer, own).find(o => o.name === 'promote')
  return (
    <div className='waybill-bar'>
      <Tabs />
      <Search value={query} onChange={onQuery} label={searches[place.tab]} />
      {place.tab === 'pipeline' && !narrow && (
        <div className='waybill-switch' role='group' aria-label={text.form.label}>
          {(['graph', 'list'] as const).map(form => (
            <button key={form} type='button' aria-pressed={(place.form || 'graph') === form} onClick={() => go({form: form === 'graph' ? undefined : form}, 'replace')}>
              {text.form[form]}
            </button>
          ))}
        </div>
      )}
      {place.tab === 'freight' && pipeline.warehouses.length > 1 && (
        <Select label={text.freight.origin} value={place.of || ''} options={[['', text.showAll], ...pipeline.warehouses.map(w => [w.name, w.name] as [string, string])]} onChange={of => go({of}, 'replace')} />
      )}
      {place.tab === 'history' && (
        <>
          <Select label={text.promotion.stage} value={place.of || ''} options={[['', text.promotion.allStages], ...pipeline.stages.map(s => [s.name, s.name] as [string, string])]} onChange={of => go({of}, 'replace')} />
          <Select label={text.promotion.phase} value={place.phase || ''} options={[['', text.promotion.allPhases], ...Object.entries(text.phases)]} onChange={phase => go({phase}, 'replace')} />
        </>
      )}
      {promote && (
        <Button kind='primary' icon='ship' why={promote.why} onClick={() => go({doing: 'promote', target: own.name, pick: ''})}>
          {text.freight.promoteTo(own.name)}
        </Button>
      )}
    </div>
  )
}

function Select({label, value, options, onChange}: {label: string; value: string; options: Array<[string, string]>; onChange: (v: string) => void}) {
  return (
    <select className='waybill-select' aria-label={label} value={value} onChange={e => onChange(e.target.value)}>
      {options.map(([v, name]) => (
        <option key={v} value={v}>
          {name}
        </option>
      ))}
    </select>
  )
}

function Tabs() {
  const {place, go} = useDesk()
  const names: TabName[] = ['pipeline', 'freight', 'history']
  const to = (tab: TabName) => go({tab, stage: '', warehouse: '', freight: '', promotion: '', query: '', of: '', phase: ''})
  return (
    <div className='waybill-tabs' role='tablist' aria-label={text.tabs.label}>
      {names.map((name, i) => (
        <button
          key={name}
          type='button'
          role='tab'
          id={`waybill-tab-${name}`}
          aria-selected={place.tab === name}
          aria-controls='waybill-panel'
          tabIndex={place.tab === name ? 0 : -1}
          onClick={() => to(name)}
          onKeyDown={e => {
            const step = {ArrowRight: 1, ArrowLeft: -1}[e.key]
            if (step) {
              const next = names[(i + step + names.length) % names.length]
              to(next)
              document.getElementById(`waybill-tab-${next}`)!.focus()
            }
          }}>
          {text.tabs[name]}
        </button>
      ))}
    </div>
  )
}

const noDialog = {doing: undefined, target: '', pick: ''}

function Dialogs() {
  const {place, go, pipeline} = useDesk()
  const doing: Doing | undefined = place.doing
  const close = () => go(noDialog, 'replace')
  if (!doing || !place.target) {
    return null
  }
  if (doing === 'promote' || doing === 'rollback') {
    const stage = pipeline.stages.find(s => s.name === place.target)
    return (
      <Dialog wide={!!stage} title={text[doing].title(place.target)} onClose={close}>
        {stage ? (
          <PromoteForm key={doing + stage.name} stage={stage} pick={place.pick || ''} rollback={doing === 'rollback'} onPick={pick => go({pick}, 'replace')} onClose={close} />
        ) : (
          <Empty title={text.gone} hint={text.goneHint} icon='unknown' />
        )}
      </Dialog>
    )
  }
  return <Decide key={doing + place.target} id={place.target} what={doing} onClose={close} />
}

